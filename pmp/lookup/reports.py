"""The report behind a look-up: each opening is a disclosure, written down before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import LookUp, Patient, User
from pmp import audit, database, delegates, disclosures, history, lookup
from pmp.errors import NotFoundError
from pmp.history import PatientReport, remarks
from pmp.lookup import last_look
from pmp.lookup.last_look import LastLook
from pmp.lookup.report_copies import copies_of
from pmp.matching import whereabouts
from pmp.prepared import Given, ahead, prepared
from pmp.reporting import freshness
from pmp.reporting.freshness import Freshness

__all__ = ["OpenReport", "copies_of", "open_report"]


@dataclass(frozen=True)
class OpenReport:
    """A report as its user sees it: how recent it is, what is new, what to know.

    `last_look` is None at a user's first look at the patient.
    """

    look_up: LookUp
    report: PatientReport
    freshness: Sequence[Freshness]
    last_look: LastLook | None
    remarks: Sequence[str]

    @property
    def purpose(self) -> str:
        return lookup.PURPOSE_WORDS[self.look_up.purpose]


def open_report(
    *, token: str, what: str, by: User, address: str = "", at: datetime
) -> OpenReport:
    """Give the report behind a token: a disclosure, written down before it is made.

    `what` is "page", "PDF" or "CSV". NotFoundError for an unknown, foreign or expired
    token, and where whoever was looked up has been divided since.
    """
    look_up = lookup.of_token(token=token, by=by, at=at)
    patient_id, since, until = _patient_of(look_up), look_up.since, look_up.until
    with ahead(
        _patient.asked(patient=patient_id),
        *history.asked(patient_id, since=since, until=until),
        *last_look.asked(look_up, patient_id),
        *remarks.asked(patient_id, since=since, until=until),
    ):
        patient: Patient = _patient.one(patient=patient_id)
        report = history.patient_report(patient, since=since, until=until, at=at)
        opened = OpenReport(
            look_up=look_up,
            report=report,
            freshness=freshness.of(
                {contact.key for contact in report.pharmacies}, today=report.today
            ),
            last_look=last_look.before(look_up, report),
            remarks=remarks.of(report),
        )
    if _patient_of(look_up) != patient.id:  # staff decided while it was made
        raise NotFoundError("Program staff have changed this record. Open it again.")
    with database.atomic():
        last_look.note(look_up, report, at=at)
        # Last: until this is on disk nobody else may write in the audit record.
        _disclose(look_up, patient, what=what, by=by, address=address, at=at)
    return opened


def _patient_of(look_up: LookUp) -> int:
    """Give under whom whoever was looked up is found today; NotFoundError."""
    patient_id: int | None = look_up.__data__["patient"]
    if patient_id is None:
        raise NotFoundError("This search has no report.")
    return whereabouts.now(patient_id, look_up.at)


@prepared
def _patient() -> Any:
    return Patient.select().where(Patient.id == Given("patient"))


def _disclose(
    look_up: LookUp,
    patient: Patient,
    *,
    what: str,
    by: User,
    address: str,
    at: datetime,
) -> None:
    is_page = what == "page"
    opened = audit.Entry(
        audit.Event.REPORT_OPENED if is_page else audit.Event.REPORT_DOWNLOADED,
        actor=by.username,
        subject=f"patient:{patient.id}",
        at=at,
        address=address,
        detail={"look_up": look_up.id, "what": what, "entries": look_up.entries},
    )
    disclosures.record(
        patient=patient,
        recipient=delegates.with_supervisor(by.name, look_up),
        address=address,
        what=f"patient report ({what})",
        purpose=lookup.PURPOSE_WORDS[look_up.purpose],
        at=at,
        actor=by.username,
        look_up=look_up,
        also=[opened],
    )
