"""When a letter of a patient's request was mailed, and who says so."""

from datetime import date, datetime

from models import LetterMailing, PatientRequest, User
from pmp import audit, clock, database
from pmp.disclosures import patient_requests, request_letters
from pmp.disclosures.request_letters import LetterKind, Standing
from pmp.errors import RuleError
from pmp.wording import us_date


def possible(request: PatientRequest) -> list[Standing]:
    """List the letters that are printed, where the request has an address."""
    if not request.address:
        return []
    found = request_letters.standing(request)
    return [each for each in found if each.document and not each.is_owed]


def note(
    request_id: int, kind: LetterKind, *, mailed_on: date, by: User, at: datetime
) -> None:
    """Write down on which day a letter was mailed; a day noted before is corrected.

    RuleError for a letter that is not printed, or a day before it was or after today.
    """
    with database.atomic():
        request = patient_requests.held(request_id)
        document = next(
            (each.document for each in possible(request) if each.kind == kind), None
        )
        if document is None:
            message = "Print this letter first, for a request with an address."
            raise RuleError(message, field="letter")
        if not clock.day_of(document.created_at) <= mailed_on <= clock.day_of(at):
            raise RuleError(
                f"{us_date(mailed_on)} is not a day from when it was printed,"
                f" {us_date(document.created_at)}, to today.",
                field="mailed_on",
            )
        LetterMailing.delete().where(LetterMailing.document == document).execute()
        LetterMailing.create(
            document=document, mailed_on=mailed_on, noted_by=by.username
        )
        detail = {"letter": kind.value, "mailed_on": str(mailed_on)}
        event = audit.Event.PATIENT_REQUEST_LETTER_MAILED
        patient_requests.record(event, request, by, at, **detail)
