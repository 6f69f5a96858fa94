"""The words of what users are told about their own account, for mail, fax and letter.

They quote no reason that staff wrote: whoever reads the message may be a stranger.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from models import AccountNotice, Role
from models import NoticeOfAccount as Notice
from pmp import settings
from pmp.account_settings import STAFF_ROLES
from pmp.accounts.standings import ROLE_WORDS
from pmp.wording import phone, us_date, us_time

_NOT_YOU = (
    "If it was you, or staff did it for you, you need do nothing. If it was not, call"
    " {phone} at once: somebody else may be using your account."
)
_QUESTION = "If you have a question, or did not expect this, call {phone}."


@dataclass(frozen=True)
class _Words:
    """A subject, and what happened, a line each paragraph; the end says what to do."""

    subject: str
    happened: str
    end: str = _QUESTION


_WORDS = {
    Notice.FACTOR_ADDED: _Words(
        "Your account has a second factor now",
        """\
On {when} a second factor was set up for the account {username}. From now on a code of \
your app, or a passkey, is asked for after the password.""",
        _NOT_YOU,
    ),
    Notice.FACTOR_REMOVED: _Words(
        "The second factor of your account was removed",
        """\
On {when} the second factor was taken off the account {username}. You sign in with the \
password alone, and set up a new second factor under Your account.""",
        _NOT_YOU,
    ),
    Notice.PASSWORD_CHANGED: _Words(
        "The password of your account was changed",
        """\
On {when} the password of the account {username} was changed. Every browser was signed \
out.""",
        _NOT_YOU,
    ),
    Notice.NEW_SIGN_IN: _Words(
        "A new sign-in to your account",
        """\
On {when} somebody signed in to the account {username} from a browser or a place that \
we had not seen with you before: {browser}, network address {address}.""",
        _NOT_YOU,
    ),
    Notice.CLOSING: _Words(
        "Your account will be closed if you do not use it",
        """\
You have not signed in to the account {username} for a long time. Accounts that are \
not used for {unused_days} days are closed.
Sign in by {closes_on} and it stays open: {portal}""",
    ),
    Notice.CLOSED: _Words(
        "Your account is closed",
        """\
The account {username} was closed on {day}, since nobody had used it for {unused_days} \
days. Nothing in it is lost. Call us if you need it again.""",
    ),
    Notice.SUSPENDED: _Words(
        "Your account is suspended",
        """\
Staff of the program suspended your account on {when}.
You cannot sign in, and whoever was signed in was signed out.""",
    ),
    Notice.REACTIVATED: _Words(
        "Your account is open again",
        """\
Staff of the program opened your account again on {when}.
{sign_in}""",
    ),
    Notice.UNLOCKED: _Words(
        "Your account is unlocked",
        """\
Staff of the program unlocked your account on {when}. It was locked after too many \
wrong passwords.
{sign_in}""",
    ),
    Notice.NEW_LETTER: _Words(
        "A letter with a new password is on its way",
        """\
On {when} staff of the program ordered a letter with a single-use password for you. It \
goes to your address of record.
Your old password is no longer in force, and whoever was signed in was signed out.""",
    ),
    Notice.ROLE_CHANGED: _Words(
        "Your account has another role",
        """\
On {when} two administrators of the program changed what your account may do. Its role \
was {old_role}, and is {new_role} now.
You were signed out; sign in again to go on.""",
    ),
    Notice.LICENCE_SUSPENDED: _Words(
        "Your account is suspended",
        """\
Your account was suspended on {when}, because your licence is not in force.
What the {department} says of licence {code}: {standing}.
You cannot sign in until it is in force. When you have renewed it, call us.""",
    ),
    Notice.LICENCE_REINSTATED: _Words(
        "Your account is active again",
        """\
Your licence {code} is in force again, and so is your account since {when}. Sign in as \
before.""",
    ),
    Notice.DELEGATE_DECIDED: _Words(
        "Program staff have decided about your delegate",
        """\
You asked that somebody may look up patients on your behalf. Staff decided on {when}.
Sign in and open My delegates, where it says how, and what comes next: {portal}""",
    ),
    Notice.DELEGATION_BEGUN: _Words(
        "You may look up patients on somebody's behalf",
        """\
Since {when} you may look up patients on behalf of {supervisor}, who asked for it.
Each look-up is on record under both names.
Do you not work there? Call {phone}, or end it under Your account.""",
    ),
    Notice.DELEGATES_TO_REVIEW: _Words(
        "Confirm who looks up patients on your behalf",
        """\
Every {review_days} days you say who of your delegates still works for you.
Sign in and open My delegates by {review_by}: {portal}
Whom you do not confirm by then cannot look up anyone for you until you do.""",
    ),
    Notice.DELEGATION_ENDED: _Words(
        "Somebody is a delegate no more",
        """\
On {when} it ended that somebody looks up patients on behalf of {supervisor}.
What was looked up until then stays on record.""",
    ),
    Notice.LICENCE_ENDING: _Words(
        "Your licence ends soon",
        """\
The last day of your licence {code} is {ends_on}, by what the {department} has told us.
Renew it with the {department}, not with us. If you have done so already, you need do \
nothing: once the {department} has the renewal, we see it with the next list of \
licences that they give us.
{not_renewed}""",
    ),
}
_NOT_RENEWED = (
    "If that list has no renewal by {day}, staff of the program look at your account"
    " and may suspend it. You cannot sign in then until the licence is in force."
)
_OWN_PASSWORD = "Sign in with your own password, as before."  # noqa: S105 - a sentence
_BY_LINK = "You have no password yet. Ask for a link to set it: {portal}/forgotten"
_BY_LETTER = "Sign in with the user name and password of the letter mailed to you."


def of(notice: AccountNotice) -> tuple[str, list[str]]:
    """Give the subject of a notice, and its sentences, a paragraph each."""
    said, facts = _WORDS[notice.kind], _facts(notice)
    paragraphs = [*said.happened.splitlines(), said.end]
    return said.subject, [each.format(**facts) for each in paragraphs]


def _facts(notice: AccountNotice) -> dict[str, Any]:
    chosen, detail, licence = settings.current(), notice.detail, notice.user.licence
    closes, review_by = detail.get("closes_at"), detail.get("by")
    ends_on = date.fromisoformat(detail["ends_on"]) if "ends_on" in detail else None
    return {
        "username": notice.user.username,
        "when": us_time(notice.made_at),
        "day": us_date(notice.made_at),
        "browser": detail.get("browser", ""),
        "address": detail.get("address", ""),
        "closes_on": us_date(datetime.fromisoformat(closes)) if closes else "",
        "unused_days": chosen.inactive_days,
        "sign_in": _sign_in(notice),
        "old_role": _role(detail.get("from")),
        "new_role": _role(detail.get("to")),
        "code": licence.code if licence else "",
        "standing": detail.get("standing", ""),
        "ends_on": us_date(ends_on),
        "not_renewed": _not_renewed(ends_on),
        "portal": chosen.public_url,
        "review_days": chosen.delegate_review_days,
        "review_by": us_date(datetime.fromisoformat(review_by)) if review_by else "",
        "supervisor": detail.get("supervisor", ""),
        "department": chosen.department,
        "phone": phone(chosen.program_phone),
    }


def _sign_in(notice: AccountNotice) -> str:
    if notice.detail.get("came_in", True):
        return _OWN_PASSWORD
    if notice.user.role in STAFF_ROLES:
        return _BY_LINK.format(portal=settings.current().public_url)
    return _BY_LETTER


def _not_renewed(ends_on: date | None) -> str:
    """Say what follows where no renewal is seen by the last day of the grace."""
    if ends_on is None:
        return ""
    grace = timedelta(days=settings.current().licence_grace_days)
    return _NOT_RENEWED.format(day=us_date(ends_on + grace))


def _role(value: str | None) -> str:
    return ROLE_WORDS[Role(value)] if value else ""
