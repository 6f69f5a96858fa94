"""Reporting notices by each channel, and the one that comes back by fax."""

import io
from datetime import UTC, date, datetime

import pypdf
import pytest

from gateway import barcodes, fax_check, letters_check, messages, pages, schedule, tasks
from gateway.message import Message
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    FaxStatus,
    InboundFax,
    Pharmacy,
    ReportingNotice,
    Role,
    SubmissionStatus,
    ZeroReport,
)
from pmp import faxes, reporting, settings
from pmp.errors import ConflictError, RuleError
from pmp.reporting import fax_answers, held_records, notices
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_licence,
    make_pharmacy,
    make_reported_day,
    make_submission,
    make_user,
)
from tests.gateway.conftest import Clock
from tests.gateway.test_confirmation_page import badly_faxed

AT = datetime(2026, 11, 18, 14, tzinfo=UTC)
TODAY = date(2026, 11, 18)


@pytest.fixture
def elm(db: settings.Settings) -> Pharmacy:
    licence = make_licence(name="ELM STREET DRUG", fax="8605550111")
    pharmacy = make_pharmacy(
        name="ELM STREET DRUG", licence=licence, reports_since=date(2026, 11, 1)
    )
    make_pharmacy(  # noise: another that is late
        name="OAK", licence=make_licence(), reports_since=date(2026, 11, 1)
    )
    return pharmacy


def notice_for(pharmacy: Pharmacy) -> tuple[ReportingNotice, Delivery]:
    notices.run(at=AT)
    notice = ReportingNotice.get(ReportingNotice.pharmacy == pharmacy)
    return notice, Delivery.get(
        Delivery.subject_id == notice.id, kind="reporting_notice"
    )


def composed(delivery: Delivery) -> Message:
    return messages.compose(delivery, DeliveryAttempt(started_at=AT))


def notice_page(delivery: Delivery) -> bytes:
    """Give the page behind the cover sheet: what is signed and comes back."""
    faxed = composed(delivery).pdf
    assert faxed is not None
    cover, notice = pypdf.PdfReader(io.BytesIO(faxed)).pages
    assert "2, with this one" in cover.extract_text()
    alone = pypdf.PdfWriter()
    alone.add_page(notice)
    written = io.BytesIO()
    alone.write(written)
    return written.getvalue()


def words_of(pdf: bytes | None) -> str:
    assert pdf is not None
    assert pages.pages(pdf, "application/pdf") == 1
    return " ".join(" ".join(box.text for box in pages.text_boxes(pdf)).split())


def test_a_fax_says_which_days_due_when_and_how_to_answer(elm: Pharmacy) -> None:
    notice, delivery = notice_for(elm)
    assert delivery.channel == ChannelName.FAX

    text = words_of(notice_page(delivery))

    for words in (
        "ELM STREET DRUG",
        "Please report by 11/20/2026",
        "11/01/2026 to 11/15/2026",
        "Sign and fax this page back to (860) 713-7242",
        "(866) 683-3246",
        "ctrxreport@otech.com",
        str(notice.reply_code),
    ):
        assert words in text


def test_a_letter_shows_its_address_in_the_window(elm: Pharmacy) -> None:
    _, delivery = notice_for(elm)
    Delivery.update(
        channel=ChannelName.LETTER,
        address="ELM STREET DRUG\n77 Record Road\nHARTFORD CT 06106",
    ).where(Delivery.id == delivery.id).execute()

    pdf = composed(Delivery.get_by_id(delivery.id)).pdf

    assert pdf is not None
    assert letters_check.problems(pdf) == []
    assert "77 RECORD RD" in words_of(pdf)


def test_an_email_leads_to_the_page_that_answers_with_one_click(
    db: settings.Settings,
) -> None:
    pharmacy = make_pharmacy(reports_since=date(2026, 11, 1))
    make_user(Role.PHARMACY, pharmacy=pharmacy, email="elm@example.org")
    _, delivery = notice_for(pharmacy)

    message = composed(delivery)

    assert message.subject == "Please report by 11/20/2026"
    assert "11/01/2026 to 11/15/2026" in message.text
    link = (
        f"{settings.current().public_url}/submissions/zero?pharmacy={pharmacy.id}"
        "&first=2026-11-01&last=2026-11-15"
    )
    assert link in message.text


def test_a_notice_that_is_settled_is_not_sent(elm: Pharmacy) -> None:
    _, delivery = notice_for(elm)
    make_reported_day(elm, date(2026, 11, 15))
    notices.run(at=AT)

    with pytest.raises(RuleError):
        composed(delivery)


def test_held_records_are_told_without_a_word_about_them(db: settings.Settings) -> None:
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(), email="a@example.org")
    submission = make_submission(
        submitted_by=user,
        filename="CANARYQUIST.dat",
        received_at=datetime(2026, 11, 2, 14, tzinfo=UTC),
        held=3,
        status=SubmissionStatus.PROCESSED_WITH_ERRORS,
    )
    held_records.chase(at=AT)
    delivery = Delivery.get(kind="reporting_notice")

    message = composed(delivery)

    assert f"/submissions/{submission.id}" in message.text
    assert "3 records that are held" in message.text
    assert "corrected by 11/09/2026" in message.text
    assert "CANARYQUIST" not in message.subject + message.text
    Delivery.update(channel=ChannelName.FAX, address="+18605550111").execute()
    text = words_of(notice_page(Delivery.get_by_id(delivery.id)))
    assert "3 records held" in text
    assert "Sign and fax" not in text


# --- It comes back


def came_back(
    pdf: bytes | None, reference: str = "one", *, seed: int = 1
) -> InboundFax:
    """Have a page come in by fax, as bad faxes are, and be read like any other."""
    assert pdf is not None
    fax = faxes.receive(
        body=badly_faxed(pdf, seed=seed),
        media_type="image/tiff",
        from_number="8605550111",
        source="test",
        source_reference=reference,
        at=AT,
    )
    tasks.read_fax.call_local(fax.id)
    found: InboundFax = InboundFax.get_by_id(fax.id)
    return found


@pytest.fixture
def still(now: Clock) -> Clock:
    now.at = AT
    return now


@pytest.mark.parametrize("seed", range(4))
def test_the_code_survives_a_bad_fax(elm: Pharmacy, seed: int) -> None:
    notice, delivery = notice_for(elm)
    pdf = notice_page(delivery)
    assert fax_check.legible(pdf, str(notice.reply_code))

    [page] = barcodes.read_codes(badly_faxed(pdf, seed=seed), "image/tiff")

    assert page.codes == (notice.reply_code,)


def test_a_signed_page_that_comes_back_reports_the_days_as_empty(
    elm: Pharmacy, still: Clock
) -> None:
    notice, delivery = notice_for(elm)
    before = reporting.period_of(date(2026, 11, 1))
    assert not reporting.has_reported(elm, before, today=TODAY)

    fax = came_back(notice_page(delivery))

    (zero,) = ZeroReport.select()
    assert (zero.pharmacy, zero.reported_by) == (elm, f"fax {fax.id}")
    assert (zero.first_day, zero.last_day) == (before.first, before.last)
    assert ReportingNotice.get_by_id(notice.id).answered_by == f"fax {fax.id}"
    assert reporting.has_reported(elm, before, today=TODAY)
    # A person still looks at the signature.
    assert fax.status is FaxStatus.UNMATCHED
    assert fax in faxes.tray()
    assert "Look at the signature" in fax.note
    assert notices.run(at=datetime(2026, 11, 22, 14, tzinfo=UTC)) == 1  # OAK alone


def test_staff_file_a_signed_answer_or_take_an_unsigned_one_back(
    elm: Pharmacy, still: Clock
) -> None:
    _, delivery = notice_for(elm)
    pdf = notice_page(delivery)
    fax, staff = came_back(pdf), make_user()
    answer = fax_answers.of(fax)
    assert answer is not None
    assert len(answer.zeros) == 1

    faxes.refuse_answer(fax, by=staff, at=AT)

    assert ZeroReport.select().count() == 0
    assert InboundFax.get_by_id(fax.id).status is FaxStatus.DISMISSED
    assert ReportingNotice.get_by_id(answer.notice.id).answered_at is None
    with pytest.raises(ConflictError):
        faxes.file_answer(fax, by=staff, at=AT)
    again = came_back(pdf, "two", seed=2)
    faxes.file_answer(again, by=staff, at=AT)
    assert ZeroReport.get().reported_by == f"fax {again.id}"
    assert faxes.tray() == []


def test_a_second_copy_and_a_late_answer_record_nothing_more(
    elm: Pharmacy, still: Clock
) -> None:
    _, delivery = notice_for(elm)
    pdf = notice_page(delivery)
    came_back(pdf)

    second = came_back(pdf, "two", seed=2)

    assert "settled before" in second.note
    assert ZeroReport.select().count() == 1


def test_records_count_whatever_the_page_says(elm: Pharmacy, still: Clock) -> None:
    _, delivery = notice_for(elm)
    make_dispensation(pharmacy=elm, filled_on=date(2026, 11, 7))
    make_reported_day(elm, date(2026, 11, 7))

    came_back(notice_page(delivery))

    (zero,) = ZeroReport.select()
    assert (zero.first_day.day, zero.last_day.day) == (8, 15)


def test_a_page_about_several_spans_answers_each(elm: Pharmacy, still: Clock) -> None:
    elm.reports_since = date(2026, 10, 1)
    elm.save()
    make_reported_day(elm, date(2026, 10, 31), came=datetime(2026, 11, 1, tzinfo=UTC))
    still.at = datetime(2026, 11, 23, 14, tzinfo=UTC)
    notices.run(at=still.at)
    notice = ReportingNotice.get(ReportingNotice.pharmacy == elm)
    assert (notice.first_day, notice.last_day) == (
        date(2026, 10, 1),
        date(2026, 11, 15),
    )
    pdf = notice_page(Delivery.get(Delivery.subject_id == notice.id))
    assert "10/01/2026 to 10/15/2026; 11/01/2026 to 11/15/2026" in words_of(pdf)

    fax = came_back(pdf)

    spans = [(each.first_day, each.last_day) for each in ZeroReport.select()]
    assert spans == [
        (date(2026, 10, 1), date(2026, 10, 15)),
        (date(2026, 11, 1), date(2026, 11, 15)),
    ]
    assert ReportingNotice.get_by_id(notice.id).answered_by == f"fax {fax.id}"


def test_a_code_that_nobody_was_sent_waits_for_staff(
    elm: Pharmacy, still: Clock
) -> None:
    fax = faxes.receive(
        body=b"II*\x00",
        media_type="image/tiff",
        from_number="",
        source="test",
        source_reference="x",
        at=NOW,
    )
    code = notices.new_code()
    faxes.file_by_codes(fax, codes=[code], pages=1, at=NOW)

    found = InboundFax.get_by_id(fax.id)
    assert found.note == f"There is no notice {code}."
    assert found.status is FaxStatus.UNMATCHED


# --- When


@pytest.mark.parametrize(
    ("time", "sent"),
    [
        ("2026-11-18T12:59:00+00:00", 0),  # 7:59 AM
        ("2026-11-18T13:00:00+00:00", 2),
        ("2026-11-18T22:59:00+00:00", 2),
        ("2026-11-18T23:00:00+00:00", 0),  # 6 PM
    ],
)
def test_pharmacies_are_written_to_in_office_hours(
    elm: Pharmacy, now: Clock, monkeypatch: pytest.MonkeyPatch, time: str, sent: int
) -> None:
    now.at = datetime.fromisoformat(time)
    monkeypatch.setattr(schedule, "_last", {})

    schedule.tick()
    schedule.tick()

    assert ReportingNotice.select().count() == sent
