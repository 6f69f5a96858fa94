"""What one administrator proposes and a second decides, whatever it is about.

Who decides holds the administrators' rows (`user_desk`) and reads the proposal after.
"""

from collections.abc import Mapping
from datetime import datetime

from models import Proposal, ProposalStatus, User
from pmp import audit
from pmp.errors import ConflictError, RuleError
from pmp.wording import us_time


def require_open(proposal: Proposal) -> None:
    """Refuse what was decided meanwhile: ConflictError, which says by whom and when."""
    if proposal.status != ProposalStatus.OPEN:
        raise ConflictError(
            f"{proposal.decided_by} was faster: this was {proposal.status} on"
            f" {us_time(proposal.decided_at)}."
        )


def refuse_own(proposal: Proposal, *, by: User) -> None:
    """Refuse who would confirm what they proposed themselves: RuleError."""
    if proposal.proposed_by == by.username:
        raise RuleError(
            "You proposed this: another administrator must confirm it. You can"
            " withdraw it."
        )


def turn_down(
    proposal: Proposal, *, reason: str, by: User, at: datetime
) -> ProposalStatus:
    """Decline a proposal, or withdraw one's own; give which of the two it was.

    RuleError where a colleague's is declined without a reason.
    """
    is_own = proposal.proposed_by == by.username
    if not is_own and not reason.strip():
        raise RuleError("Say why it is declined.", field="reason")
    proposal.answer = reason.strip()
    ended = ProposalStatus.WITHDRAWN if is_own else ProposalStatus.DECLINED
    decide(proposal, ended, by=by, at=at)
    return ended


def decide(
    proposal: Proposal, status: ProposalStatus, *, by: User, at: datetime
) -> None:
    """Write down how a proposal ended, and by whom."""
    proposal.status, proposal.decided_by, proposal.decided_at = status, by.username, at
    proposal.save()


def record(
    event: audit.Event,
    proposal: Proposal,
    *,
    subject: str,
    detail: Mapping[str, str],
    by: User,
    at: datetime,
) -> None:
    """Put what became of a proposal on the audit record: `detail`, why, and whose."""
    why = {
        "reason": proposal.answer or proposal.reason,
        "proposed_by": proposal.proposed_by,
    }
    audit.record(
        event, actor=by.username, subject=subject, at=at, detail={**detail, **why}
    )
