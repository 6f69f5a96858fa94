"""The page that proves a fax number: what it says, and what its coming back does."""

import io
from datetime import date, timedelta

import pypdf
import pytest

from gateway import barcodes, fax_check, messages, sending, tasks
from models import (
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    FaxStatus,
    HowConfirmed,
    InboundFax,
    Role,
    User,
)
from pmp import faxes
from pmp.errors import RuleError
from pmp.reaching import checks, own_ways, page_codes
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_licence,
    make_patient,
    make_pharmacy,
    make_user,
)
from tests.gateway.conftest import Clock, fresh
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.usefixtures("db")

NUMBER = "+18605550121"


def page_of(check: ContactCheck) -> Delivery:
    delivery: Delivery = Delivery.get(
        Delivery.kind == DeliveryKind.FAX_TEST_PAGE, Delivery.subject_id == check.id
    )
    return delivery


def text_of(body: bytes) -> str:
    [page] = pypdf.PdfReader(io.BytesIO(body)).pages
    return " ".join(page.extract_text().split())


def drawn(check: ContactCheck) -> bytes:
    delivery = page_of(check)
    attempt = type("Attempt", (), {"started_at": NOW})()
    body = messages.compose(delivery, attempt).pdf
    assert body
    return body


def test_the_page_tells_a_user_what_to_do_and_a_stranger_too() -> None:
    user = make_user(Role.PHARMACY, name="ELM STREET DRUG & CARE", fax=None)
    check = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)

    body = drawn(check)

    words = text_of(body)
    assert check.code in words
    assert "For ELM STREET DRUG & CARE, at (860) 555-0121" in words
    assert "How the program reaches you" in words
    assert "You are not meant" in words
    assert "(860) 713-7242" in words
    [page] = barcodes.read_codes(fax_check.as_fax(body), "image/tiff")
    assert page.codes == (check.code,)


def test_the_page_tells_who_is_no_user_to_call() -> None:
    licence = make_licence(name="RAE OAKES", fax=NUMBER)
    fax = ChannelName.FAX
    check = checks.ask(licence, channel=fax, address=NUMBER, by=None, at=NOW)

    words = text_of(drawn(check))

    assert "Call (860) 713-6073 and read the code" in words
    assert "Sign in" not in words


def test_a_page_whose_code_was_replaced_is_not_sent(
    carrier: Carrier, now: Clock
) -> None:
    user = make_user(Role.PHARMACY)
    old = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)
    own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)

    sending.attempt(page_of(old).id)

    after = fresh(page_of(old))
    assert (after.state, after.error_class) == (
        DeliveryState.FAILED,
        ErrorClass.DOCUMENT,
    )
    assert carrier.taken == []


def test_a_page_that_is_faxed_back_proves_its_number_once_staff_say_so(
    now: Clock,
) -> None:
    user = make_user(Role.PHARMACY, fax="8605550120")
    check = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)
    make_user(Role.PHARMACY, fax="8605550120")  # noise
    came = receive(fax_check.as_fax(drawn(check)))

    after = InboundFax.get_by_id(came.id)
    assert after.status == FaxStatus.UNMATCHED
    assert after.codes == [check.code]
    assert after.note == f"Test page {check.code}: look at it, then confirm the number."
    assert ContactCheck.get_by_id(check.id).confirmed_at is None
    assert User.get_by_id(user.id).fax == "8605550120"
    lee = make_user(Role.STAFF, username="lee")

    faxes.confirm_test_page(after, code=check.code, by=lee, at=now.at)

    proven = ContactCheck.get_by_id(check.id)
    assert proven.confirmed_how == HowConfirmed.FAXED_BACK
    assert proven.confirmed_by == "lee"
    assert User.get_by_id(user.id).fax == NUMBER
    assert InboundFax.get_by_id(came.id).status == FaxStatus.FILED


def test_a_report_waits_until_staff_have_seen_the_page_that_came_back(
    now: Clock,
) -> None:
    pharmacy, patient = make_pharmacy(), make_patient()
    make_user(Role.PHARMACY, fax=NUMBER, email="", pharmacy=pharmacy)
    make_dispensation(patient=patient, pharmacy=pharmacy, filled_on=date(2026, 10, 20))
    make_crossing(patient, fills=2)
    report = Delivery.get(kind=DeliveryKind.THRESHOLD_REPORT, address=NUMBER)
    check = ContactCheck.get(ContactCheck.address == NUMBER)
    came = receive(fax_check.as_fax(drawn(check)))
    assert fresh(report).state == DeliveryState.HELD

    lee = make_user(Role.STAFF, username="lee")
    faxes.confirm_test_page(came, code=check.code, by=lee, at=now.at)

    assert fresh(report).state == DeliveryState.QUEUED


def test_a_page_that_is_faxed_back_too_late_proves_nothing(now: Clock) -> None:
    user = make_user(Role.PHARMACY, fax="8605550120")
    check = own_ways.prove_fax(user, number=NUMBER, by=user, at=NOW)
    body = fax_check.as_fax(drawn(check))
    now.at += timedelta(days=15)

    came = receive(body)

    lee = make_user(Role.STAFF, username="lee")
    with pytest.raises(RuleError, match="too old"):
        faxes.confirm_test_page(came, code=check.code, by=lee, at=now.at)
    assert InboundFax.get_by_id(came.id).status == FaxStatus.UNMATCHED
    assert User.get_by_id(user.id).fax == "8605550120"


def receive(body: bytes) -> InboundFax:
    fax = faxes.receive(
        body=body,
        media_type="image/tiff",
        from_number=NUMBER,
        source="test",
        source_reference=f"test:{len(body)}",
        at=NOW,
    )
    tasks.read_fax.call_local(fax.id)
    row: InboundFax = InboundFax.get_by_id(fax.id)
    return row


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("fxt 7k3q 9xw", False),
        ("FXT-IIII-IIII", False),
        ("", False),
        ("CTR-7K3Q9-XW4MT", False),
    ],
)
def test_what_is_no_code(*, typed: str, read: bool) -> None:
    assert (page_codes.read_code(typed) is not None) is read


def test_a_code_is_read_however_it_was_typed_and_a_slip_is_found() -> None:
    for _ in range(50):
        code = page_codes.new_code()
        signs = code.removeprefix("FXT").replace("-", "")
        assert page_codes.read_code(f" {signs.lower()} ") == code
        assert page_codes.codes_in([code, "CTR-7K3Q9-XW4MT", signs]) == [code]
        slip = ("0" if signs[3] != "0" else "1").join((signs[:3], signs[4:]))
        assert page_codes.read_code(slip) is None
