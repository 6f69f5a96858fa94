"""No document leaves with words over words, off the paper, or in a missing font."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway import documents, layout_check, messages, sending
from gateway.message import Message
from models import (
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    ErrorClass,
    Purpose,
    Role,
    ThresholdCase,
    TicketProblem,
)
from pmp import dispensations, lookup, tickets
from pmp.deliveries import outbox
from pmp.lookup import report_codes, reports
from pmp.matching.identities import name_key
from pmp.thresholds import case_recipients
from pmp.tickets.shown import Shown
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_user,
)
from tests.gateway.conftest import Clock, fresh, make_delivery

STYLE = """<style>
@font-face { font-family: page; src: url("DejaVuSansCondensed.ttf"); }
body { font-family: page; font-size: 10pt } table { width: 100% }
</style>"""
LONG = "WOLFESCHLEGELSTEINHAUSENBERGERDORFFWELCHEVORALTERNWAREN"
NAMES = {
    "long": (LONG, LONG[::-1], f"{LONG} HYDROCHLORIDE-ACETAMINOPHEN-CAFFEINE 10 mg"),
    "wide": ("W" * 40, "M" * 35, "MMMM " * 12),
    "of the world": ("ŁUKASZ-ØRSTED", "ÑANDÚ ŽOFIE", "נעמי محمد Приём ½ ΗΛΊΑΣ 王"),
}


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        (
            '<table><tr><td width="10%">HYDROCODONE-ACETAMINOPHEN</td><td>A</td></tr>',
            "Page 1 has words over others, 10 mm from the top.",
        ),
        (f"<p>{'X' * 200}</p>", "Page 1 has words over the edge of the paper."),
        ("<p>a</p><pdf:nextpage/><pdf:nextpage/><p>b</p>", "Page 2 has nothing on it."),
        ("", "Page 1 has nothing on it."),
        (
            '<p style="font-family: Helvetica">Words</p>',
            "Page 1 has words in a font that is not in the file.",
        ),
    ],
)
def test_a_fault_of_the_layout_is_named_with_its_page(markup: str, fault: str) -> None:
    assert layout_check.problems(documents.drawn("test", STYLE + markup)) == [fault]


def test_a_page_in_order_has_no_fault() -> None:
    rows = "<tr><td>Quick gyp</td><td>Åyj</td></tr>" * 40
    source = f"{STYLE}<h1>Ågj</h1><table>{rows}</table><p>Żg</p>"

    assert layout_check.problems(documents.drawn("test", source)) == []


# --- In a delivery


@pytest.fixture
def composed_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    def compose_as(source: str) -> None:
        body = documents.drawn("test", STYLE + source)
        monkeypatch.setattr(
            messages, "compose", lambda each, _: Message(each.address, pdf=body)
        )

    return compose_as


@pytest.mark.usefixtures("db")
def test_a_fault_stops_the_delivery_and_asks_staff(
    now: Clock, composed_of: Any
) -> None:
    noise, delivery = make_delivery(), make_delivery()
    composed_of(f"<p>{'Canaryquist' * 30}</p>")

    sending.attempt(delivery.id)

    stopped = fresh(delivery)
    assert stopped.state == DeliveryState.FAILED
    assert stopped.error_class == ErrorClass.DOCUMENT
    assert stopped.needs_staff
    assert "Page 1 has words over the edge of the paper." in stopped.error_text
    assert "Canary" not in stopped.error_text
    last = outbox.last_attempt(stopped)
    assert last is not None
    assert last.carrier_reference is None
    assert fresh(noise).state == DeliveryState.QUEUED


# --- Every kind, with the longest that it may be given


@pytest.fixture(params=NAMES)
def names(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    return NAMES[request.param]


@pytest.fixture
def case(db: object, names: tuple[str, str, str]) -> ThresholdCase:
    last, first, drug = names
    patient = make_patient(
        last_name=last, first_name=first, city=last[:30], last_key=name_key(last)
    )
    product = make_product(name=drug)
    for number in range(12):
        make_dispensation(
            patient=patient,
            prescriber=make_prescriber(last_name=last, first_name=first),
            pharmacy=make_pharmacy(name=f"{last} PHARMACY & SONS OF {first}"),
            product=product,
            quantity=Decimal("1234567.125"),
            days_supply=180,
            filled_on=date(2026, 9, 1) + timedelta(days=number % 50),
        )
    made: ThresholdCase = make_crossing(patient)
    return made


def faults_of(kind: DeliveryKind, subject_id: int, channel: ChannelName) -> list[str]:
    addresses = {
        ChannelName.FAX: "+18605550143",
        ChannelName.LETTER: "Dr. A\n1 Main Street\nHARTFORD CT 06106",
    }
    delivery = Delivery(
        id=1,
        kind=kind,
        subject_id=subject_id,
        channel=channel,
        address=addresses[channel],
        dedupe_key=f"test:{subject_id}",
        created_at=NOW,
    )
    attempt = DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)
    body = messages.compose(delivery, attempt).pdf
    assert body
    return layout_check.problems(body)


def test_a_threshold_report_holds_its_longest_names(case: ThresholdCase) -> None:
    recipient = case_recipients.of_case(case)[0]

    kind = DeliveryKind.THRESHOLD_REPORT
    assert faults_of(kind, recipient.id, ChannelName.FAX) == []
    assert faults_of(kind, recipient.id, ChannelName.LETTER) == []


def test_a_correction_notice_holds_its_longest_names(
    case: ThresholdCase, names: tuple[str, str, str]
) -> None:
    Delivery.update(state=DeliveryState.SENT).execute()
    entry = Dispensation.get(Dispensation.patient == case.patient)
    dispensations.correct(
        entry,
        changes={"quantity": Decimal("7654321.5")},
        reason=" ".join(names) * 3,
        by=make_user(),
        at=NOW,
    )

    notice = CorrectionNotice.get()
    kind = DeliveryKind.CORRECTION_NOTICE
    assert faults_of(kind, notice.id, ChannelName.FAX) == []


def test_a_question_to_a_pharmacy_holds_its_longest_words(
    case: ThresholdCase, names: tuple[str, str, str]
) -> None:
    entry = Dispensation.get(Dispensation.patient == case.patient)
    staff = make_user()
    ticket = tickets.open_ticket(
        Shown(entry), problem=TicketProblem.WRONG_QUANTITY, note="", by=staff, at=NOW
    )
    tickets.ask_dispenser(
        ticket, text=" ".join(names) * 5, by=staff, at=NOW, revision=ticket.revision
    )

    asked = Delivery.get(kind=DeliveryKind.TICKET_QUESTION)
    assert faults_of(asked.kind, asked.subject_id, ChannelName.FAX) == []


def test_a_patient_report_holds_its_longest_names(
    case: ThresholdCase, names: tuple[str, str, str]
) -> None:
    reader = make_user(Role.PRACTITIONER, name=" ".join(names)[:100])
    criteria = lookup.Criteria(
        names[1],
        names[0],
        date(1971, 4, 28),
        Purpose.TREATING,
        since=date(2025, 11, 1),
        until=date(2026, 11, 23),
    )
    answer = lookup.search(criteria=criteria, by=reader, at=NOW)
    opened = reports.open_report(token=answer.token, what="PDF", by=reader, at=NOW)

    body = documents.long_pdf(
        "patient_report",
        code=report_codes.new_code(),
        report=opened.report,
        asked=opened.look_up,
        reader=reader,
        for_whom=f" on behalf of {reader.name}",
        purpose=opened.purpose,
        caveat="",
        freshness={each.pharmacy_id: each for each in opened.freshness},
        last_look=opened.last_look,
        remarks=opened.remarks,
    )

    assert len(opened.report.entries) >= 12
    assert layout_check.problems(body) == []
