"""What users are told about their own account, by email, fax or letter.

Nothing in it is about a patient, and nothing in it lets anybody in.
"""

from datetime import datetime
from typing import Any

from models import AccountNotice, ChannelName, DeliveryKind, NoticeOfAccount, User
from pmp import deliveries
from pmp.deliveries import contacts

# What must arrive although it takes days; the rest would come too late by letter.
BY_LETTER_TOO = frozenset(
    {
        NoticeOfAccount.FACTOR_REMOVED,
        NoticeOfAccount.CLOSING,
        NoticeOfAccount.CLOSED,
    }
)


def tell(
    user: User,
    kind: NoticeOfAccount,
    *,
    at: datetime,
    detail: dict[str, Any] | None = None,
) -> AccountNotice | None:
    """Request a notice in the transaction of its cause; None if there is no way."""
    routes = contacts.own_routes(user)
    lines = contacts.address_lines(user.licence) if user.licence else []
    if kind in BY_LETTER_TOO and lines:
        routes = [
            *routes,
            deliveries.Route(ChannelName.LETTER, "\n".join(lines)),
        ]
    if not routes:
        return None
    notice: AccountNotice = AccountNotice.create(
        user=user, kind=kind, detail=detail or {}, made_at=at
    )
    deliveries.request(
        kind=DeliveryKind.ACCOUNT_NOTICE,
        subject_id=notice.id,
        routes=routes,
        dedupe_key=f"account-notice:{notice.id}",
        at=at,
    )
    return notice
