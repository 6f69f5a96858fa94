"""Once a year a user says that the account is theirs and used by them alone.

Nobody uses another's account, a delegate neither: the words say so.
PMP_ATTESTATION_DAYS is how often, 0 = never.
"""

from datetime import datetime, timedelta

from models import User
from pmp import audit, database, settings


def is_due(user: User, *, at: datetime) -> bool:
    """Tell whether a user is to attest anew."""
    days = settings.current().attestation_days
    if not days:
        return False
    said = user.attested_at
    return said is None or bool(said <= at - timedelta(days=days))


def attest(user: User, *, at: datetime, address: str) -> None:
    """Write down that a user has attested."""
    with database.atomic():
        User.update(attested_at=at).where(User.id == user.id).execute()
        audit.record(
            audit.Event.USER_ATTESTED,
            actor=user.username,
            subject=f"user:{user.id}",
            at=at,
            address=address,
        )
