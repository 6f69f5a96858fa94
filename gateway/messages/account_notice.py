"""Tells a user what happened to their own account, by email, fax or letter."""

from datetime import datetime
from typing import Any

from gateway import documents, messages
from gateway.message import Message
from models import AccountNotice, ChannelName, Delivery, DeliveryAttempt
from models import NoticeOfAccount as Notice
from pmp import settings

SUBJECTS = {
    Notice.FACTOR_ADDED: "Your account has a second factor now",
    Notice.FACTOR_REMOVED: "The second factor of your account was removed",
    Notice.PASSWORD_CHANGED: "The password of your account was changed",
    Notice.NEW_SIGN_IN: "A new sign-in to your account",
    Notice.CLOSING: "Your account will be closed if you do not use it",
    Notice.CLOSED: "Your account is closed",
}


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice as mail, or as a page for fax and letter."""
    notice = AccountNotice.get_by_id(delivery.subject_id)
    subject, context = SUBJECTS[notice.kind], _context(notice)
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "account_notice", subject=subject, **context)
    is_letter = delivery.channel == ChannelName.LETTER
    lines = delivery.address.splitlines() if is_letter else [notice.user.name]
    body = documents.pdf(
        "account_notice",
        to_lines=lines,
        at=attempt.started_at,
        subject=subject,
        **context,
    )
    return Message(address=delivery.address, subject=subject, pdf=body)


def _context(notice: AccountNotice) -> dict[str, Any]:
    detail = notice.detail
    closes = detail.get("closes_at")
    return {
        "kind": notice.kind.value,
        "username": notice.user.username,
        "happened_at": notice.made_at,
        "browser": detail.get("browser", ""),
        "address": detail.get("address", ""),
        "closes_at": datetime.fromisoformat(closes) if closes else None,
        "portal": settings.current().public_url,
        "unused_days": settings.current().inactive_days,
    }
