"""Whatever stands on a paper of ours leads to the thing, however it is typed."""

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    EvidencePack,
    FaxStatus,
    InboundFax,
    NoticeKind,
    Pharmacy,
    ReportingNotice,
    Role,
    ThresholdReportCopy,
    User,
)
from pmp import audit, codes, documents, settings
from pmp.codes import printed
from pmp.deliveries import sealed_searches
from pmp.deliveries.letter_codes import letter_code
from pmp.dispensations.row_codes import row_code
from pmp.lookup import report_codes
from pmp.registration import registration_codes
from pmp.reporting import notices
from pmp.thresholds import case_recipients
from pmp.tickets import evidence, faxed_papers
from tests.conftest import NOW
from tests.factories import (
    make_application,
    make_crossing,
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_practitioner_licence,
    make_ticket,
    make_user,
    prove_fax,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff() -> User:
    return make_user(Role.STAFF, username="sandra.lee")


def found(typed: str, by: User) -> list[str]:
    return [hit.address for hit in codes.find(typed, by=by, at=NOW).hits]


def make_delivery(**fields: object) -> Delivery:
    row: Delivery = Delivery.create(
        **{
            "kind": DeliveryKind.TICKET_NOTICE,
            "subject_id": 1,
            "channel": ChannelName.LETTER,
            "address": "x",
            "dedupe_key": f"k{Delivery.select().count()}",
            "state": DeliveryState.SENT,
            "due_at": NOW,
            "deadline_at": NOW,
            "created_at": NOW,
        }
        | fields
    )
    return row


def misread(code: str) -> list[str]:
    """Give a code as people type and read it."""
    return [
        code,
        code.lower(),
        code.replace("-", " "),
        code.replace("-", "").replace("0", "O").replace("1", "l"),
        f"  {code} ",
    ]


def test_a_registration_code_leads_to_the_registration(staff: User) -> None:
    application, _noise = make_application(), make_application()
    wanted = [f"/staff/registrations/{application.code}"]
    for typed in misread(application.code):
        assert found(typed, staff) == wanted
    assert found(application.code.partition("-")[2], staff) == wanted


def test_a_row_code_leads_to_the_patient_and_is_on_record(staff: User) -> None:
    row = make_dispensation()
    make_dispensation()
    for typed in misread(row_code(row.id)):
        assert found(typed, staff) == [f"/staff/patients/{row.patient.id}"]


def test_ticket_numbers_codes_and_evidence_lead_to_the_ticket(staff: User) -> None:
    ticket, _noise = make_ticket(), make_ticket()
    wanted = [f"/staff/tickets/{ticket.number}"]
    document = documents.keep(
        kind=DocumentKind.EVIDENCE_PACK, media_type="application/pdf", body=b"x", at=NOW
    )
    pack = EvidencePack.create(
        ticket=ticket,
        document=document,
        code=evidence._new_code(),
        recipient="x",
        reason="x",
        pages=1,
        made_at=NOW,
        made_by=staff.username,
    )
    for code in (ticket.number, faxed_papers.code_of(ticket), pack.code):
        for typed in misread(code):
            assert found(typed, staff) == wanted, typed


def test_a_letter_code_leads_to_its_delivery(staff: User) -> None:
    letter, _noise = make_delivery(), make_delivery()
    for typed in misread(letter_code(letter.id)):
        assert found(typed, staff) == [f"/staff/deliveries/{letter.id}"]


def test_a_reply_code_leads_to_the_case(staff: User) -> None:
    case = make_crossing(make_patient())
    recipient: CaseRecipient = case_recipients.of_case(case)[0]
    for typed in misread(recipient.reply_code):
        assert found(typed, staff) == [f"/staff/cases/{case.id}"]


def test_a_verification_code_leads_to_the_case_or_to_who_has_the_report(
    staff: User,
) -> None:
    case = make_crossing(make_patient())
    code = report_codes.new_code()
    document = documents.keep(
        kind=DocumentKind.THRESHOLD_REPORT, media_type="x", body=b"x", at=NOW
    )
    ThresholdReportCopy.create(
        recipient=case_recipients.of_case(case)[0],
        document=document,
        code=code,
        pages=1,
        sha256="",
        made_at=NOW,
    )
    for typed in misread(code):
        assert found(typed, staff) == [f"/staff/cases/{case.id}"]


def test_a_notice_and_a_test_page_lead_to_whom_they_were_sent(staff: User) -> None:
    pharmacy = make_pharmacy()
    notice = ReportingNotice.create(
        pharmacy=pharmacy,
        kind=NoticeKind.LATE,
        reply_code=notices.new_code(),
        first_day=NOW.date(),
        last_day=NOW.date(),
        due_on=NOW.date(),
        made_at=NOW,
    )
    check: ContactCheck = prove_fax(make_user(), "+18605550199")

    wanted = f"/staff/reporting/pharmacies/{pharmacy.id}"
    assert found(str(notice.reply_code).lower(), staff) == [wanted]
    [address] = found(check.code.replace("-", ""), staff)
    assert "5550199" not in address
    assert sealed_searches.opened(address.rpartition("/")[2]) == "+18605550199"


def test_a_number_finds_everything_that_has_it(staff: User) -> None:
    delivery = make_delivery()
    fax = InboundFax.create(
        received_at=NOW, source="x", source_reference="x", status=FaxStatus.UNMATCHED
    )
    assert delivery.id == fax.id == 1

    both = ["/staff/deliveries/1", "/staff/faxes/1"]
    assert found("1", staff) == both
    assert found("Fax 1", staff) == both
    assert found("delivery #1", staff) == both[:1]
    assert found("fax received 1", staff) == both[1:]
    assert found("run 1", staff) == []


def test_a_carrier_s_reference_leads_to_the_delivery(staff: User) -> None:
    delivery = make_delivery()
    DeliveryAttempt.create(
        delivery=delivery,
        number=1,
        started_at=NOW,
        carrier_reference="FX-99-a",
        idempotency_key="k",
    )
    assert found("FX-99-a", staff) == [f"/staff/deliveries/{delivery.id}"]


def test_user_names_licences_and_dea_numbers_lead_to_people(staff: User) -> None:
    licence = make_practitioner_licence(code="CSP.0012345", dea="AB1234563")
    user = make_user(Role.PRACTITIONER, username="rae.oakes", licence=licence)
    pharmacy: Pharmacy = make_pharmacy(dea="BP7654321")

    theirs = ("rae.oakes", "RAE OAKES", "CSP.0012345", "csp 0012345", "AB1234563")
    for typed in theirs:
        assert found(typed, staff) == [f"/staff/users/{user.id}"], typed
    wanted = f"/staff/reporting/pharmacies/{pharmacy.id}"
    assert found("bp7654321", staff) == [wanted]


def test_what_somebody_may_not_open_is_not_found() -> None:
    application = make_application()
    user = make_user(Role.PRACTITIONER, username="rae.oakes")
    auditor = make_user(Role.AUDITOR)
    row = make_dispensation()
    for typed in (application.code, user.username, row_code(row.id)):
        assert found(typed, auditor) == []
    searched = AuditEvent.select().where(
        AuditEvent.event == audit.Event.PATIENTS_SEARCHED.value
    )
    assert not searched.exists()  # nor was a patient looked for


def test_a_code_that_nothing_has_says_what_it_would_be(staff: User) -> None:
    unknown = letter_code(4711)
    answer = codes.find(unknown.lower(), by=staff, at=NOW)
    assert answer.hits == []
    assert answer.would_be == [f"{unknown} would be a letter code. Nothing has it."]


def test_a_code_with_a_wrong_sign_says_so(staff: User) -> None:
    made = iter(registration_codes.new_code, "")
    # One in thirty has letters alone: like a word, it is not taken for a code.
    code = next(each for each in made if any(sign.isdigit() for sign in each[:-1]))
    other = "A" if code[-1] != "A" else "B"
    [words] = codes.find(code[:-1] + other, by=staff, at=NOW).would_be
    assert "It begins like a registration code" in words


@pytest.mark.parametrize("typed", ["", "nothing at all", "%", "9" * 80, "T\x00"])
def test_other_words_are_no_code(staff: User, typed: str) -> None:
    answer = codes.find(typed, by=staff, at=NOW)
    assert (answer.hits, answer.would_be) == ([], [])


def test_another_state_s_prefix_is_read_with_its_misread_signs(staff: User) -> None:
    with settings.changed(registration_prefix="OIL"):
        application = make_application()
        typed = application.code.replace("OIL", "011")
        wanted = [f"/staff/registrations/{application.code}"]
        assert found(typed, staff) == wanted
        assert printed.kinds()[0].prefix == "OIL"
