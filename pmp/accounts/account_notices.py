"""What users are told about their own account, by email, fax or letter.

Nothing in it is about a patient, and nothing in it lets anybody in.
"""

from datetime import datetime
from typing import Any

from models import AccountNotice, ChannelName, DeliveryKind, NoticeOfAccount, User
from pmp import deliveries
from pmp.deliveries import Route, contacts

# What must arrive although it takes days; the rest would come too late by letter.
BY_LETTER_TOO = frozenset(
    {
        NoticeOfAccount.FACTOR_REMOVED,
        NoticeOfAccount.CLOSING,
        NoticeOfAccount.CLOSED,
        NoticeOfAccount.SUSPENDED,
        NoticeOfAccount.REACTIVATED,
        NoticeOfAccount.ROLE_CHANGED,
        NoticeOfAccount.LICENCE_SUSPENDED,
        NoticeOfAccount.LICENCE_REINSTATED,
        NoticeOfAccount.DELEGATE_DECIDED,
        NoticeOfAccount.DELEGATES_TO_REVIEW,
        NoticeOfAccount.LICENCE_ENDING,
    }
)
# Where no way is known staff are to find one.
ASKED_OF_STAFF = frozenset(
    {NoticeOfAccount.LICENCE_SUSPENDED, NoticeOfAccount.LICENCE_REINSTATED}
)


def tell(
    user: User,
    kind: NoticeOfAccount,
    *,
    at: datetime,
    detail: dict[str, Any] | None = None,
) -> bool:
    """Request a notice in the transaction of its cause; False if there is no way."""
    routes = contacts.own_routes(user)
    lines = contacts.address_lines(user.licence) if user.licence else []
    if kind in BY_LETTER_TOO and lines:
        routes = [*routes, Route(ChannelName.LETTER, "\n".join(lines))]
    if not routes and kind not in ASKED_OF_STAFF:
        return False
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
    return bool(routes)
