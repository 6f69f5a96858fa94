"""What has become of the demo's threshold cases: replies, a care note, silent rules."""

from pathlib import Path

from gateway import tasks
from models import (
    CaseRecipient,
    CaseStatus,
    Delivery,
    DeliveryKind,
    RecipientAnswer,
    ReportedIdentity,
    RuleStatus,
    ThresholdCase,
)
from pmp import clock
from pmp.accounts import users
from pmp.thresholds import (
    answers,
    care_notes,
    case_recipients,
    threshold_rules,
)
from pmp.thresholds.answers import Reply
from portal.cli import demo_replies

TRIED_OUT = ("PQA", "PQA opioid with benzodiazepine")
"""Rules that count and send nothing, of two kinds."""


def try_rules_out() -> None:
    """Have two of the rules that come with the program count without sending."""
    chief = users.named("admin.chief")
    for name in TRIED_OUT:
        if rule := threshold_rules.named(name):
            threshold_rules.switch(
                rule,
                RuleStatus.SILENT,
                reason="Tried out before it is decided on.",
                by=chief,
                at=clock.now(),
            )


def answer_reports(*, data_dir: Path) -> None:
    """Send the report on Raymond Dover, and have three of its recipients answer.

    One on the page, with a note to a colleague; one asks for a call; one by fax, which
    staff have still to tick. A fourth reply page lies ready to drop in.
    """
    case = _case_of("DOVER")
    for username in ("dr.adams", "main.pharmacy", "dr.brown"):
        _send(_recipient(case, username))
    adams, brown = _recipient(case, "dr.adams"), _recipient(case, "dr.brown")
    answers.answer(
        adams.id,
        Reply(
            RecipientAnswer.MY_PATIENT,
            done=frozenset({"discussed_with_patient"}),
            note="He comes in weekly from now on.",
        ),
        by=users.named("dr.adams"),
        at=clock.now(),
    )
    answers.answer(
        _recipient(case, "main.pharmacy").id,
        Reply(
            RecipientAnswer.MY_PATIENT,
            done=frozenset({"please_call"}),
            note="He pays cash and asks for early fills.",
        ),
        by=users.named("main.pharmacy"),
        at=clock.now(),
    )
    care_notes.send(
        adams.id,
        brown.id,
        text="I have agreed on one prescriber with him: me. Please send him to us.",
        by=users.named("dr.adams"),
        at=clock.now(),
    )
    demo_replies.fax_back(brown)
    elm = _recipient(case, "elm.pharmacy")
    (data_dir / "reply-to-drop.pdf").write_bytes(demo_replies.page_of(elm))


def _case_of(last_name: str) -> ThresholdCase:
    patients = ReportedIdentity.select(ReportedIdentity.patient).where(
        ReportedIdentity.last_key == last_name
    )
    found: ThresholdCase = (
        ThresholdCase.select()
        .where(ThresholdCase.patient.in_(patients))
        .where(ThresholdCase.status == CaseStatus.QUEUED)
        .get()
    )
    return found


def _recipient(case: ThresholdCase, username: str) -> CaseRecipient:
    user = users.named(username)
    return next(each for each in case_recipients.of_case(case) if each.user == user)


def _send(recipient: CaseRecipient) -> None:
    delivery = Delivery.get(
        (Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
        & (Delivery.subject_id == recipient.id)
    )
    tasks.send_delivery.call_local(delivery.id)
