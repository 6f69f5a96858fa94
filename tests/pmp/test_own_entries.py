"""A pharmacy changes its own entries: checked, kept, and told to whom it concerns."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    CaseStatus,
    CorrectionNotice,
    CoveredPharmacy,
    Dispensation,
    DispensationStatus,
    Licence,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Role,
    Species,
    ThresholdCase,
    TicketOutcome,
    User,
)
from pmp import audit, dispensations, reporters, tickets, uploads
from pmp.dispensations import asked, day_counts, own_corrections, own_entries
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds import correction_notices
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_licence,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_ticket,
    make_user,
)
from tests.submission_files import ELM, fill, submission

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def pharmacist() -> User:
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy())


@pytest.fixture
def entry(pharmacist: User) -> Dispensation:
    make_dispensation()  # noise: another pharmacy's
    return make_dispensation(pharmacy=pharmacist.pharmacy)


def correct(entry: Dispensation, by: User, **typed: str) -> own_entries.Done:
    return own_corrections.correct(
        entry.row_code,
        typed,
        version=entry.version,
        reason="misread",
        by=by,
        at=NOW,
    )


def faults(entry: Dispensation, **typed: str) -> dict[str, str]:
    proposed = own_corrections.propose(entry, typed, at=NOW)
    assert not proposed.fields
    return {each.element: each.words for each in proposed.faults}


def fields(entry: Dispensation, **typed: str) -> list[tuple[str, str, str]]:
    proposed = own_corrections.propose(entry, typed, at=NOW)
    assert not proposed.faults
    return [(each.name, each.before, each.after) for each in proposed.fields]


# --- What is checked


def test_an_entry_as_it_stands_has_no_fault_and_changes_nothing(
    pharmacist: User, entry: Dispensation
) -> None:
    typed = own_corrections.elements_of(entry)
    assert fields(entry, **typed) == []
    with pytest.raises(RuleError, match="Nothing differs"):
        correct(entry, pharmacist, **typed)


def test_a_correction_is_held_to_the_rules_of_a_submission(
    entry: Dispensation,
) -> None:
    assert "above 0" in faults(entry, DSP09="0")["DSP09"]
    assert "1 to 999" in faults(entry, DSP10="0")["DSP10"]
    assert "48 hours" in faults(entry, DSP10="2")["DSP10"]
    assert "in the future" in faults(entry, DSP05="20270101")["DSP05"]
    assert "after the date filled" in faults(entry, DSP03="20261105")["DSP03"]
    assert "no product" in faults(entry, DSP08="99999999999")["DSP08"]
    assert set(faults(entry, DSP08="1", PRE02="AB1111111")) == {"DSP08", "PRE02"}
    assert "empty" in faults(entry, PAT07="")["PAT07"]
    assert "after the date filled" in faults(entry, PAT18="20261110")["PAT18"]
    named = make_product(
        name="Aspirin", ingredient="ASPIRIN", schedule="", drug_class="other"
    )
    assert "not reported" in faults(entry, DSP08=named.ndc)["DSP08"]


def test_elements_that_an_entry_does_not_keep_are_not_judged(
    pharmacist: User, entry: Dispensation
) -> None:
    Dispensation.update(product_qualifier="06", product_code="COMPOUND").where(
        Dispensation.id == entry.id
    ).execute()
    compound = Dispensation.get_by_id(entry.id)
    assert fields(compound, DSP09="45") == [("Quantity", "60", "45")]
    correct(compound, pharmacist, DSP09="45", DSP08="12345678901")
    now = Dispensation.get_by_id(entry.id)
    assert (now.quantity, now.product_code) == (45, "COMPOUND")


def test_a_long_street_and_an_animal_stay_as_they_are(
    pharmacist: User,
) -> None:
    street = "Apartment 1204, Building C, 77 Old Long Meadow Turnpike Road"
    pet = make_identity(street=street, species=Species.ANIMAL, animal_name="Rex")
    row = make_dispensation(pet, pharmacy=pharmacist.pharmacy)
    assert fields(row, **own_corrections.elements_of(row)) == []
    correct(row, pharmacist, PAT23="Max")
    now = Dispensation.get_by_id(row.id).identity
    assert (now.street, now.animal_name) == (street, "Max")
    assert now.species is Species.ANIMAL


# --- What a correction does


def test_a_correction_changes_the_one_entry_and_keeps_what_it_said(
    pharmacist: User, entry: Dispensation
) -> None:
    twin = make_dispensation(  # the same prescription and fill: a second part
        pharmacy=pharmacist.pharmacy,
        prescription_number=entry.prescription_number,
        partial=2,
    )
    product = make_product(name="Diazepam 5 mg", ingredient="diazepam")
    correct(
        entry,
        pharmacist,
        DSP02="new 7",
        DSP05="20261103",
        DSP08=product.ndc,
        DSP16="04",
        DSP17="",
    )

    now = Dispensation.get_by_id(entry.id)
    assert (now.prescription_number, now.filled_on) == ("NEW 7", date(2026, 11, 3))
    assert (now.drug_name, now.payment, now.sold_on) == ("Diazepam 5 mg", "04", None)
    assert (now.corrected, now.version, now.row_code) == (True, 2, entry.row_code)
    assert Dispensation.get_by_id(twin.id).version == 1
    own = own_entries.view(entry.row_code, by=pharmacist, at=NOW)
    (change,) = own.changes
    assert (change.what, change.by, change.reason) == (
        "corrected", pharmacist.username, "misread",
    )  # fmt: skip
    told = {each.name: (each.before, each.after) for each in change.fields}
    assert told["Filled"] == ("11/01/2026", "11/03/2026")
    assert told["Prescription number"] == (entry.prescription_number, "NEW 7")


def test_another_prescriber_is_found_or_made_without_the_old_ones_numbers(
    pharmacist: User, entry: Dispensation
) -> None:
    Prescriber.update(npi="1234567893").execute()
    known = make_prescriber(last_name="KNOWN", dea="AK1234563")
    assert fields(entry, PRE02="ak1234563")[0][2] == "KNOWN, PAT (AK1234563)"
    make_licence(dea="AB1234563", name="NEW A PERSON")
    assert fields(entry, PRE02="AB1234563")[0][2] == "DEA AB1234563 (NEW A PERSON)"
    assert fields(entry, PRE02="AC1234563")[0][2] == "DEA AC1234563 (not in the roster)"

    correct(entry, pharmacist, PRE02="ak1234563")
    entry = Dispensation.get_by_id(entry.id)
    assert entry.prescriber == known
    correct(entry, pharmacist, PRE02="AB1234563")
    made = Dispensation.get_by_id(entry.id).prescriber
    assert (made.dea, made.npi) == ("AB1234563", None)
    assert made.licence == Licence.get(Licence.dea == "AB1234563")


def test_another_patient_is_matched_as_an_intake_does(
    pharmacist: User, entry: Dispensation
) -> None:
    other = make_identity(
        make_patient(last_name="RIGHT"), last_name="RIGHT", first_name="ANNA"
    )
    typed = own_corrections.elements_of(entry) | {
        "PAT07": "Wrongly",
        "PAT18": "19500102",
    }
    correct(entry, pharmacist, **typed)
    moved = Dispensation.get_by_id(entry.id)
    assert moved.identity.last_name == "Wrongly"
    assert moved.patient not in {entry.patient, other.patient}
    assert moved.patient == moved.identity.patient
    own = own_entries.view(entry.row_code, by=pharmacist, at=NOW)
    (field,) = [each for each in own.changes[0].fields if each.name == "Patient"]
    assert "born 01/02/1950" in field.after

    # Back again: the identity that was reported before keeps its patient.
    back = own_corrections.elements_of(entry)
    known = ReportedIdentity.select().count()
    correct(moved, pharmacist, **back)
    again = Dispensation.get_by_id(entry.id)
    assert again.identity.last_name == entry.identity.last_name
    assert ReportedIdentity.select().count() <= known + 1


def test_a_change_since_it_was_seen_conflicts(
    pharmacist: User, entry: Dispensation
) -> None:
    correct(entry, pharmacist, DSP09="45")
    with pytest.raises(ConflictError):
        correct(entry, pharmacist, DSP10="15")
    with pytest.raises(ConflictError):
        own_entries.remove(entry.row_code, version=1, reason="x", by=pharmacist, at=NOW)
    assert Dispensation.get_by_id(entry.id).days_supply == 30


def test_a_refused_correction_leaves_nothing_behind(
    pharmacist: User, entry: Dispensation
) -> None:
    make_dispensation(
        pharmacy=pharmacist.pharmacy,
        prescription_number=entry.prescription_number,
        filled_on=date(2026, 11, 9),
    )
    people = ReportedIdentity.select().count()
    with pytest.raises(RuleError, match="same fill"):
        correct(entry, pharmacist, DSP05="20261109", PAT07="NEWCOMER")
    assert ReportedIdentity.select().count() == people
    assert Dispensation.get_by_id(entry.id).version == 1


# --- Whose it is


def test_another_pharmacys_entry_is_not_told_from_an_unknown_one(
    pharmacist: User, entry: Dispensation
) -> None:
    stranger = make_user(Role.PHARMACY, pharmacy=make_pharmacy())
    refusals = set()
    for code in (entry.row_code, "D-0000000", "x"):
        with pytest.raises(NotFoundError) as refused:
            own_entries.find(code, by=stranger)
        refusals.add(refused.value.message)
    assert len(refusals) == 1
    with pytest.raises(NotFoundError):
        correct(entry, stranger, DSP09="1")
    with pytest.raises(NotFoundError):
        own_entries.remove(entry.row_code, version=1, reason="x", by=stranger, at=NOW)


def test_an_accounts_pharmacies_are_those_of_the_numbers_that_they_go_by(
    pharmacist: User,
) -> None:
    own = pharmacist.pharmacy
    licence = make_licence(dea="BG1234563", ncpdp="0712345", npi="1234567893")
    CoveredPharmacy.create(
        user=pharmacist, licence=licence, granted_by="x", granted_at=NOW
    )
    by_dea = make_pharmacy(dea="BG1234563", name="A")
    by_ncpdp = make_pharmacy(dea=None, ncpdp="0712345", name="B")
    by_npi = make_pharmacy(dea=None, npi="1234567893", name="C")
    # Others that share a number, as by a slip in their files:
    make_pharmacy(ncpdp="0712345")
    make_pharmacy(dea=None, ncpdp="0799999", npi="1234567893")

    assert reporters.pharmacies_of(pharmacist) == [own, by_dea, by_ncpdp, by_npi]
    assert reporters.pharmacies_of(make_user(Role.STAFF)) == []
    row = make_dispensation(pharmacy=by_npi)
    own_entries.remove(row.row_code, version=1, reason="x", by=pharmacist, at=NOW)
    assert tickets.find_shown(row.row_code, by=pharmacist).dispensation == row


def test_looking_at_an_entry_is_on_the_patients_audit_record(
    pharmacist: User, entry: Dispensation
) -> None:
    own_entries.view(entry.row_code, by=pharmacist, at=NOW)
    (event,) = AuditEvent.select().where(
        AuditEvent.subject == f"dispensation:{entry.id}"
    )
    assert event.event == audit.Event.DISPENSING_VIEWED


# --- Restoring


def test_a_removed_entry_is_restored_and_each_step_is_kept(
    pharmacist: User, entry: Dispensation
) -> None:
    own_entries.remove(entry.row_code, version=1, reason="twice", by=pharmacist, at=NOW)
    own_entries.restore(
        entry.row_code, version=2, reason="was not", by=pharmacist, at=NOW
    )
    now = Dispensation.get_by_id(entry.id)
    assert (now.status, now.version) == (DispensationStatus.CURRENT, 3)
    own = own_entries.view(entry.row_code, by=pharmacist, at=NOW)
    assert [(each.what, each.reason) for each in own.changes] == [
        ("restored", "was not"),
        ("removed", "twice"),
    ]
    events = AuditEvent.select().where(
        AuditEvent.event == audit.Event.DISPENSATION_RESTORED.value
    )
    assert events.count() == 1
    with pytest.raises(RuleError, match="not removed"):
        dispensations.restore(now, reason="x", by=pharmacist, at=NOW)


def test_an_entry_with_a_replacement_or_removed_by_staff_is_not_restored(
    pharmacist: User, entry: Dispensation
) -> None:
    dispensations.void(entry, reason="x", by=pharmacist, at=NOW)
    replacement = make_dispensation(
        pharmacy=pharmacist.pharmacy,
        prescription_number=entry.prescription_number,
        filled_on=date(2026, 11, 2),
    )
    with pytest.raises(RuleError, match=replacement.row_code):
        dispensations.restore(entry, reason="x", by=pharmacist, at=NOW)
    staff = make_user(Role.STAFF)
    dispensations.void(replacement, reason="x", by=staff, at=NOW)
    with pytest.raises(RuleError, match="Program staff removed"):
        dispensations.restore(replacement, reason="x", by=pharmacist, at=NOW)
    dispensations.restore(replacement, reason="x", by=staff, at=NOW)
    assert Dispensation.get_by_id(replacement.id).status == "current"


# --- Who is told


def opened_case(fills: int) -> tuple[ThresholdCase, Dispensation, User]:
    """Make a case whose report all opened; its first entry and its pharmacy's user."""
    case = make_crossing(make_patient(), fills=fills, day=date(2026, 11, 1))
    CaseRecipient.update(opened_at=NOW).execute()
    row = (
        Dispensation.select()
        .where(Dispensation.patient == case.patient)
        .order_by(Dispensation.filled_on)
        .first()
    )
    return case, row, make_user(Role.PHARMACY, pharmacy=row.pharmacy)


def notices(outcome: TicketOutcome) -> Sequence[CorrectionNotice]:
    query = CorrectionNotice.select().where(CorrectionNotice.outcome == outcome)
    return list(query.order_by(CorrectionNotice.id))


def test_a_pharmacys_own_correction_is_told_to_all_who_were_sent_the_entry() -> None:
    case, row, user = opened_case(fills=6)
    recipients = CaseRecipient.select().where(CaseRecipient.case == case).count()
    make_product(ndc=row.product_code)
    done = correct(row, user, DSP09="45")

    assert recipients == 12
    assert done.told == recipients
    assert len(notices(TicketOutcome.CORRECTED)) == recipients
    (field,) = correction_notices.correction(notices(TicketOutcome.CORRECTED)[0]).fields
    assert (field.name, field.before, field.after) == ("Quantity", "60", "45")


def test_a_pharmacys_own_removal_withdraws_a_case_and_tells_everyone() -> None:
    case, row, user = opened_case(fills=3)
    done = own_entries.remove(
        row.row_code, version=1, reason="returned", by=user, at=NOW
    )
    assert ThresholdCase.get_by_id(case.id).status is CaseStatus.WITHDRAWN
    told = notices(TicketOutcome.VOIDED)
    assert done.told == len(told) == 6
    assert all(each.case_withdrawn for each in told)

    # Restored, a new case's report goes out; nobody gets a second kind of notice.
    own_entries.restore(row.row_code, version=2, reason="wrong", by=user, at=NOW)
    assert len(notices(TicketOutcome.CORRECTED)) == 0
    assert (
        ThresholdCase.select()
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .exists()
    )


def test_who_was_told_of_a_removal_is_told_that_it_stands_again() -> None:
    case, row, user = opened_case(fills=6)
    own_entries.remove(row.row_code, version=1, reason="x", by=user, at=NOW)
    assert ThresholdCase.get_by_id(case.id).status is not CaseStatus.WITHDRAWN
    removed = notices(TicketOutcome.VOIDED)
    done = own_entries.restore(row.row_code, version=2, reason="y", by=user, at=NOW)

    again = notices(TicketOutcome.CORRECTED)
    assert {each.recipient for each in again} == {each.recipient for each in removed}
    assert done.told == len(again) == 12
    made = correction_notices.correction(again[0])
    assert made.outcome == "It had been removed by mistake and stands again."
    assert made.fields == []
    assert correction_notices.outcome_words(removed[0]).endswith("has been removed.")


@pytest.mark.parametrize("status", ["01", "02"])
def test_a_revise_or_void_by_file_tells_the_same_people(status: str) -> None:
    case, row, _ = opened_case(fills=6)
    Pharmacy.update(dea=ELM[2], npi=ELM[0], ncpdp=ELM[1]).where(
        Pharmacy.id == row.pharmacy
    ).execute()
    user = make_user(Role.PHARMACY, pharmacy=Pharmacy.get_by_id(row.pharmacy.id))
    make_product(ndc=row.product_code)
    record = fill(
        row.prescription_number,
        status=status,
        filled=f"{row.filled_on:%Y%m%d}",
        written=f"{row.written_on:%Y%m%d}",
        ndc=row.product_code,
        quantity="60",
        days="15" if status == "01" else "30",
        last=row.identity.last_name,
        first=row.identity.first_name,
        born=f"{row.identity.birth_date:%Y%m%d}",
    )
    sent = uploads.receive(
        filename="a.dat", body=submission((ELM, [record])), by=user, at=NOW
    )
    uploads.process(sent.id, at=NOW)

    assert Dispensation.get_by_id(row.id).version == 2
    told = CorrectionNotice.select().where(CorrectionNotice.dispensation == row)
    opened = CaseRecipient.opened_at.is_null(is_null=False)
    sent_to = CaseRecipient.select().where(CaseRecipient.case == case, opened)
    assert told.count() == sent_to.count() == 12


def test_open_tickets_hear_what_the_pharmacy_did(
    pharmacist: User, entry: Dispensation
) -> None:
    ticket = make_ticket(entry)
    other = make_ticket()  # noise
    done = correct(entry, pharmacist, DSP09="45")

    assert list(done.tickets) == [ticket]
    assert tickets.thread(ticket)[-1].text == (
        "The pharmacy corrected this entry: Quantity."
    )
    assert len(tickets.thread(other)) == 1


# --- Counts by day


def test_a_log_is_read_as_people_write_it() -> None:
    text = "Date,Fills\n11/3/2026,42\n2026-11-04\t1,204\n11-05;7\n"
    text += '"11/06/26","3"\n\n11/5, 1'
    found = day_counts.pasted(text, year=2026)
    assert found.unread == []
    assert found.counts == {
        date(2026, 11, 3): 42,
        date(2026, 11, 4): 1204,
        date(2026, 11, 5): 8,
        date(2026, 11, 6): 3,
    }
    assert day_counts.pasted("11/31/2026,4\n11/3\nx", year=2026).unread == [1, 2, 3]


def test_a_month_counts_standing_fills_of_the_pharmacy_alone(
    pharmacist: User, entry: Dispensation
) -> None:
    mine: dict[str, Any] = {"pharmacy": pharmacist.pharmacy}
    make_dispensation(**mine, schedule="CV")
    make_dispensation(**mine, status="voided")
    make_dispensation(**mine, filled_on=date(2026, 12, 1))
    log = {date(2026, 11, 1): 3}
    found = day_counts.month(
        date(2026, 11, 9), pharmacy=None, by=pharmacist, at=NOW, log=log
    )
    first = found.days[0]
    assert (first.second, first.third_to_fifth, first.others) == (1, 1, 0)
    assert (first.difference, found.total("fills")) == (1, 2)
    assert [day.day.day for day in found.unaccounted] == list(range(2, 23))
    assert len(found.days) == 30


def test_ranges_write_many_numbers_briefly() -> None:
    assert asked.ranges([5, 4, 9, 6, 1]) == ["1", "4-6", "9"]
    assert asked.usual_since(date(2026, 11, 25)) == date(2026, 11, 25) - timedelta(
        days=89
    )
