"""A page with a code, faxed to a number to learn whose machine answers there.

It names who is meant to have the number, and nobody else; it holds no patient data. Who
faxes it back has its code read from it, so the page decodes itself before it is sent.
"""

from gateway import documents
from gateway.message import Message
from models import ContactCheck, Delivery, DeliveryAttempt, User
from pmp.errors import RuleError
from pmp.reaching import checks, fax_numbers


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the page; RuleError if its code is no longer asked for."""
    check = ContactCheck.get_by_id(delivery.subject_id)
    if not checks.is_open(check, at=attempt.started_at):
        raise RuleError("The code of this page is no longer asked for.")
    owner = checks.owner_of(check)
    body = documents.faxable_pdf(
        "fax_test_page",
        check.code,
        check=check,
        name=fax_numbers.name_of(owner),
        is_user=isinstance(owner, User),
        at=attempt.started_at,
    )
    # A page alone: it comes back as it is, with the code on top.
    return Message(
        address=delivery.address, subject="Fax test page", pdf=body, has_cover=True
    )
