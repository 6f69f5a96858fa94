"""The report behind a look-up: each opening is a disclosure, written down before it."""

from datetime import datetime

from models import User
from pmp import audit, database, disclosures, history, lookup
from pmp.errors import NotFoundError
from pmp.history import PatientReport


def open_report(
    *, token: str, what: str, by: User, address: str = "", at: datetime
) -> PatientReport:
    """Give the report behind a token: a disclosure, written down before it is made.

    `what` is "page", "PDF" or "CSV". NotFoundError for an unknown, foreign or expired
    token.
    """
    look_up = lookup.of_token(token=token, by=by, at=at)
    patient = look_up.patient
    if patient is None:
        raise NotFoundError("This search has no report.")
    with database.atomic():
        disclosures.record(
            patient=patient,
            recipient=by.name,
            address=address,
            what=f"patient report ({what})",
            purpose=lookup.PURPOSE_WORDS[look_up.purpose],
            at=at,
            actor=by.username,
            look_up=look_up,
        )
        event = audit.Event.REPORT_OPENED
        audit.record(
            event if what == "page" else audit.Event.REPORT_DOWNLOADED,
            actor=by.username,
            subject=f"patient:{patient.id}",
            at=at,
            address=address,
            detail={"look_up": look_up.id, "what": what, "entries": look_up.entries},
        )
    return history.patient_report(
        patient, since=look_up.since, until=look_up.until, at=at
    )
