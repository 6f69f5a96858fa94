"""The audit record: append-only, chained by hashes, its end sealed.

Each row's hash covers the row and the hash before it; the head holds the last one under
an HMAC with the secret key, so that a changed row, a missing row and a cut-off tail are
all found by `verify`. The rows hold no patient data: they point (`patient:17`).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import models
from models import AuditEvent, AuditHead
from pmp import database, settings
from pmp.prepared import Given, prepared

FIRST_HASH = "0" * 64
# Any number but the one of the migrations: chains grow one row at a time.
ADVISORY_LOCK = 20571


class Event(StrEnum):
    """What happened, as noun:verb."""

    ROSTER_IMPORTED = "roster:imported"
    ROSTER_CONTACTS_IMPORTED = "roster:contacts_imported"
    ROSTER_PREVIEWED = "roster:previewed"
    ROSTER_APPLY_BEGUN = "roster:apply_begun"
    ROSTER_DISCARDED = "roster:discarded"
    ROSTER_UNDO_BEGUN = "roster:undo_begun"
    ROSTER_UNDONE = "roster:undone"
    LICENCE_FOUND = "licence:found"
    LICENCE_SETTLED = "licence:settled"
    REGISTRATION_SUBMITTED = "registration:submitted"
    REGISTRATION_CONFIRMATION_RECEIVED = "registration:confirmation_received"
    REGISTRATION_OVERRIDE_ASKED = "registration:override_asked"
    REGISTRATION_APPROVED = "registration:approved"
    REGISTRATION_RETURNED = "registration:returned"
    REGISTRATION_REJECTED = "registration:rejected"
    REGISTRATION_REMINDED = "registration:reminded"
    REGISTRATION_EXPIRED = "registration:expired"
    FAX_RECEIVED = "fax:received"
    FAX_READ = "fax:read"
    FAX_ATTACHED = "fax:attached"
    FAX_HANDLED = "fax:handled"
    FAX_VIEWED = "fax:viewed"
    DESK_TAKEN = "desk:taken"
    DESK_PUT_BACK = "desk:put_back"
    CALLBACK_REFUSED = "callback:refused"
    CREDENTIAL_ISSUED = "credential:issued"
    CREDENTIAL_USED = "credential:used"
    CREDENTIAL_REVOKED = "credential:revoked"
    USER_CREATED = "user:created"
    USER_SUSPENDED = "user:suspended"
    USER_UNLOCKED = "user:unlocked"
    USER_CLOSED = "user:closed"
    USER_REACTIVATED = "user:reactivated"
    USER_ACTIVATED = "user:activated"
    USER_VIEWED = "user:viewed"
    USERS_DOWNLOADED = "users:downloaded"
    ROLE_CHANGE_PROPOSED = "user:role_change_proposed"
    ROLE_CHANGE_CONFIRMED = "user:role_changed"
    ROLE_CHANGE_DECLINED = "user:role_change_declined"
    ROLE_CHANGE_WITHDRAWN = "user:role_change_withdrawn"
    PASSWORD_LETTER = "password:letter"  # noqa: S105 - a name, not a secret
    SETTINGS_CHANGED = "settings:changed"
    USER_COVERAGE_CHANGED = "user:coverage_changed"
    USER_RECEIPTS_CHOSEN = "user:receipts_chosen"
    CONTACT_CHECK_ASKED = "contact:check_asked"
    CONTACT_CONFIRMED = "contact:confirmed"
    CONTACT_CHANGED = "contact:changed"
    CONTACT_PREFERRED = "contact:preferred"
    NUMBER_BLOCKED = "fax_number:blocked"
    NUMBER_RELEASED = "fax_number:released"
    STATION_CHANGED = "fax_number:station_changed"
    STATION_SETTLED = "fax_number:station_settled"
    TEXTS_AGREED = "text_number:agreed"
    TEXTS_STOPPED = "text_number:stopped"
    USER_REOPENED = "user:reopened"
    USER_TOLD = "user:told"
    USER_ATTESTED = "user:attested"
    FACTOR_ADDED = "second_factor:added"
    FACTOR_REMOVED = "second_factor:removed"
    FACTOR_REMOVAL_ASKED = "second_factor:removal_asked"
    FACTOR_REMOVAL_DECLINED = "second_factor:removal_declined"
    RECOVERY_CODES_MADE = "second_factor:recovery_codes_made"
    PASSKEY_ADDED = "passkey:added"
    PASSKEY_REMOVED = "passkey:removed"
    FIRST_STEP = "session:first_step"
    SIGNED_IN = "session:signed_in"
    SIGN_IN_REFUSED = "session:refused"
    SIGN_IN_LOCKED = "session:locked"
    SIGNED_OUT = "session:signed_out"
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 - a name, not a secret
    PASSWORD_FORGOTTEN = "password:forgotten"  # noqa: S105 - a name, not a secret
    PASSWORD_RESET = "password:reset"  # noqa: S105 - a name, not a secret
    ACCESS_REFUSED = "access:refused"
    SUBMISSION_RECEIVED = "submission:received"
    SUBMISSION_PROCESSED = "submission:processed"
    SUBMISSION_RECORD_CORRECTED = "submission:record_corrected"
    SUBMISSION_RECORD_WITHDRAWN = "submission:record_withdrawn"
    SUBMISSION_VIEWED = "submission:viewed"
    SUBMISSION_DOWNLOADED = "submission:downloaded"
    CSV_RECEIVED = "csv_submission:received"
    DISPENSING_VIEWED = "dispensing:viewed"
    ZERO_REPORTED = "submission:zero_reported"
    ZERO_WITHDRAWN = "submission:zero_withdrawn"
    REPORTING_SCHEDULE_WRITTEN = "reporting:schedule_written"
    REPORTING_CLOSED_DAYS_CHANGED = "reporting:closed_days_changed"
    REPORTING_EXEMPTION_CHANGED = "reporting:exemption_changed"
    REPORTING_NOTICE_MADE = "reporting:notice_made"
    REPORTING_NOTICE_ANSWERED = "reporting:notice_answered"
    REPORTING_NOTED = "reporting:noted"
    PHARMACY_KIND_CHANGED = "pharmacy:kind_changed"
    DISPENSATION_VOIDED = "dispensation:voided"
    DISPENSATION_CORRECTED = "dispensation:corrected"
    DISPENSATION_RESTORED = "dispensation:restored"
    PRODUCTS_IMPORTED = "products:imported"
    PRODUCT_WRITTEN = "product:written"
    PRODUCT_FILLED_IN = "product:filled_in"
    PRODUCT_UNDONE = "product:undone"
    WITHHELD_COUNTED = "dispensation:withheld_counted"
    IDENTITY_JOINED = "identity:joined"
    IDENTITY_KEPT_APART = "identity:kept_apart"
    IDENTITY_DOUBTED = "identity:doubted"
    IDENTITY_SPLIT = "identity:split"
    MATCH_DECISION_UNDONE = "identity:decision_undone"
    MATCH_REVIEWS_LISTED = "match_review:listed"
    MATCH_REVIEW_ASKED = "match_review:asked"
    MATCH_REVIEW_OPENED = "match_review:opened"
    PATIENTS_SEARCHED = "patient:searched"
    PATIENT_VIEWED = "patient:viewed"
    LOOKED_UP = "look_up:asked"
    LOOK_UP_ANSWERED = "look_up:answered"
    LOOK_UP_REFUSED = "look_up:refused"
    LOOK_UP_CHANGES_SHOWN = "look_up:changes_shown"
    UNUSUAL_FOUND = "unusual_look_up:found"
    UNUSUAL_LISTED = "unusual_look_up:listed"
    UNUSUAL_ASKED = "unusual_look_up:asked"
    UNUSUAL_ANSWERED = "unusual_look_up:answered"
    UNUSUAL_EXPLAINED = "unusual_look_up:explained"
    PROTECTED_LISTED = "protected_person:listed"
    PROTECTED_ADDED = "protected_person:added"
    PROTECTED_REMOVED = "protected_person:removed"
    SCHEDULE_MADE = "schedule:made"
    SCHEDULE_VIEWED = "schedule:viewed"
    SCHEDULE_FORGOTTEN = "schedule:forgotten"
    PRESCRIBING_VIEWED = "prescribing:viewed"
    REPORT_OPENED = "report:opened"
    REPORT_DOWNLOADED = "report:downloaded"
    REPORT_COPY_KEPT = "report:copy_kept"
    REPORT_VERIFIED = "report:verified"
    RULE_WRITTEN = "threshold_rule:written"
    THRESHOLDS_CHECKED = "threshold:checked"
    CASE_DETECTED = "threshold_case:detected"
    CASE_RECOUNTED = "threshold_case:recounted"
    CASE_QUEUED = "threshold_case:queued"
    CASE_WITHDRAWN = "threshold_case:withdrawn"
    CASE_CLOSED = "threshold_case:closed"
    CASE_OPENED = "threshold_case:opened"
    CASE_ANSWERED = "threshold_case:answered"
    THRESHOLD_COPY_OPENED = "threshold_report:copy_opened"
    CASE_CALLED = "threshold_case:called"
    CARE_NOTE_SENT = "care_note:sent"
    CARE_NOTE_OPENED = "care_note:opened"
    FAXED_REPLY_FOUND = "faxed_reply:found"
    FAXED_REPLY_HANDLED = "faxed_reply:handled"
    TICKET_OPENED = "ticket:opened"
    TICKET_TAKEN = "ticket:taken"
    TICKET_MESSAGE = "ticket:message"
    TICKET_RESOLVED = "ticket:resolved"
    TICKET_VIEWED = "ticket:viewed"
    TICKET_ASSIGNED = "ticket:assigned"
    TICKET_ESCALATED = "ticket:escalated"
    TICKET_OVERDUE = "ticket:overdue"
    TICKET_REOPENED = "ticket:reopened"
    TICKET_ATTACHMENT_ADDED = "ticket:attachment_added"
    TICKET_ATTACHMENT_OPENED = "ticket:attachment_opened"
    TICKET_ATTACHMENT_REMOVED = "ticket:attachment_removed"
    TICKET_EVIDENCE_MADE = "ticket:evidence_made"
    TICKET_EVIDENCE_OPENED = "ticket:evidence_opened"
    TICKETS_DOWNLOADED = "tickets:downloaded"
    TICKET_ROUTING_CHANGED = "ticket_routing:changed"
    TICKET_REFUSED = "ticket:refused"
    TICKET_WITHDRAWN = "ticket:withdrawn"
    TICKET_ANSWERED = "ticket:answered"
    TICKET_REPORTER_TOLD = "ticket:reporter_told"
    READERS_NOTIFIED = "readers:notified"
    CORRECTION_NOTIFIED = "correction:notified"
    DELIVERY_REQUESTED = "delivery:requested"
    DELIVERY_CHANGED = "delivery:changed"
    DELIVERY_STAFF_ACTION = "delivery:staff_action"
    MAIL_PROBLEM_SETTLED = "mail:problem_settled"
    MAIL_CERTIFICATE_ADDED = "mail:certificate_added"
    MAIL_CERTIFICATE_WITHDRAWN = "mail:certificate_withdrawn"
    DELIVERIES_DOWNLOADED = "deliveries:downloaded"
    DELIVERY_PAPER_OPENED = "delivery:paper_opened"
    MAIL_PHRASE_MADE = "mail:phrase_made"
    MAIL_PHRASE_WITHDRAWN = "mail:phrase_withdrawn"
    DELIVERY_MISDELIVERED = "delivery:misdelivered"
    DELIVERIES_HELD_AFTER_RESTORE = "deliveries:held_after_restore"
    CARRIER_LEFT_ALONE = "carrier:left_alone"
    CARRIER_WORKS = "carrier:works"
    CARRIER_PAUSED = "carrier:paused"
    CARRIER_RESUMED = "carrier:resumed"
    DESTROY_NOTICE_PRINTED = "delivery:destroy_notice_printed"
    MISDELIVERY_ASSESSED = "delivery:misdelivery_assessed"
    MISDELIVERY_ADDRESS = "delivery:misdelivery_address"
    LETTERS_BATCHED = "letters:batched"
    LETTERS_PRINTED = "letters:printed"
    LETTERS_NOT_MAILED = "letters:not_mailed"
    LETTERS_MAILED = "letters:mailed"
    DISCLOSED = "disclosure:made"
    ACCOUNTING_MADE = "disclosure:accounting_made"
    PATIENT_REQUEST_TAKEN = "patient_request:taken"
    PATIENT_REQUEST_EXTENDED = "patient_request:extended"
    PATIENT_REQUEST_PAPER_MADE = "patient_request:paper_made"
    PATIENT_REQUEST_PAPER_OPENED = "patient_request:paper_opened"
    PATIENT_REQUEST_ENDED = "patient_request:ended"
    PATIENT_REQUEST_REOPENED = "patient_request:reopened"
    OFFICIAL_REQUEST_TAKEN = "official_request:taken"
    OFFICIAL_REQUEST_CHANGED = "official_request:changed"
    OFFICIAL_REQUEST_HANDED_ON = "official_request:handed_on"
    OFFICIAL_REQUEST_REVIEWED = "official_request:reviewed"
    OFFICIAL_REQUEST_DECIDED = "official_request:decided"
    OFFICIAL_REQUEST_PAPER_OPENED = "official_request:paper_opened"
    STATISTICS_DOWNLOADED = "statistics:downloaded"
    PUBLIC_PAGE_WRITTEN = "public_page:written"
    ANNOUNCEMENT_WRITTEN = "announcement:written"
    ANNOUNCEMENT_WITHDRAWN = "announcement:withdrawn"
    ANNOUNCEMENT_RESTORED = "announcement:restored"
    AUDIT_SEARCHED = "audit:searched"


@dataclass(frozen=True)
class Entry:
    """A row to be added, see `record`."""

    event: Event
    actor: str
    subject: str
    at: datetime
    detail: dict[str, Any] | None = None
    address: str = ""

    def content(self) -> dict[str, Any]:
        """Give what is hashed, beside the hash before it."""
        return {
            "at": self.at.isoformat(),
            "event": self.event.value,
            "actor": self.actor,
            "subject": self.subject,
            "address": self.address,
            "detail": self.detail or {},
        }


def record(
    event: Event,
    *,
    actor: str,
    subject: str,
    at: datetime,
    detail: dict[str, Any] | None = None,
    address: str = "",
) -> AuditEvent:
    """Add a row, in the transaction of its cause: the two stand or fall together.

    `actor` is a username, "system" or "applicant"; `subject` a word and an id
    ("ticket:T261123-7"); `detail` holds ids, counts and reasons, no patient's name.
    """
    return record_all([Entry(event, actor, subject, at, detail, address)])[0]


def record_all(entries: Sequence[Entry]) -> list[AuditEvent]:
    """Add the rows of one act in their order, at least one; see `record`."""
    rows: list[AuditEvent] = []
    with database.together():
        _take_turn()
        head = _head.one()
        # After an end that we did not seal the chain begins anew: it stays visible.
        previous = head.last_hash if head and _is_sealed(head) else FIRST_HASH
        for entry in entries:
            content = entry.content()
            facts = content | {
                "at": entry.at,
                "detail": json.loads(_canonical(content["detail"])),
                "previous_hash": previous,
                "hash": _hash(previous, content),
            }
            rows.append(AuditEvent(id=_write.add(**facts), **facts))
            previous = rows[-1].hash
        _seal(head, rows[-1])
    return rows


def verify() -> list[str]:
    """Check the whole chain; give one sentence for each fault, none if it is whole.

    Others may write meanwhile: the chain must go through the end that was sealed when
    the check began, and not beyond the one that is sealed when it ends.
    """
    faults = []
    sealed = AuditHead.get_or_none()
    previous, last_id, at_seal = FIRST_HASH, 0, ""
    for row in _rows():
        if row.previous_hash != previous:
            faults.append(f"Event {row.id}: a row before it is missing or was changed.")
        if row.hash != _hash(row.previous_hash, _content(row)):
            faults.append(f"Event {row.id}: its content was changed.")
        previous, last_id = row.hash, row.id
        if sealed and row.id == sealed.last_id:
            at_seal = row.hash
    head = AuditHead.get_or_none()
    if head is None:
        return [*faults, "The seal on the end is missing."] if last_id else faults
    if not _is_sealed(head):
        faults.append("The seal on the end was not made with this secret key.")
    if last_id > head.last_id or (sealed and at_seal != sealed.last_hash):
        faults.append(f"The record ends at event {last_id}, not at {head.last_id}.")
    return faults


def _rows() -> Iterator[AuditEvent]:
    query = AuditEvent.select().order_by(AuditEvent.id)
    return iter(query.iterator())


def _content(row: AuditEvent) -> dict[str, Any]:
    return {
        "at": row.at.isoformat(),
        "event": row.event,
        "actor": row.actor,
        "subject": row.subject,
        "address": row.address,
        "detail": row.detail,
    }


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)


def _hash(previous: str, content: dict[str, Any]) -> str:
    return hashlib.sha256(f"{previous}{_canonical(content)}".encode()).hexdigest()


def _sealed(last_id: int, last_hash: str) -> str:
    key = settings.current().secret_key.get_secret_value().encode()
    return hmac.new(key, f"{last_id}:{last_hash}".encode(), "sha256").hexdigest()


def _is_sealed(head: AuditHead) -> bool:
    return hmac.compare_digest(head.seal, _sealed(head.last_id, head.last_hash))


def _seal(head: AuditHead | None, row: AuditEvent) -> None:
    end = {"last_id": row.id, "last_hash": row.hash, "seal": _sealed(row.id, row.hash)}
    if head is None:
        AuditHead.create(**end)
    else:
        _move_head.change(id=head.id, **end)


@prepared
def _write() -> Any:
    return AuditEvent.insert(
        at=Given("at", into=AuditEvent.at),
        event=Given("event"),
        actor=Given("actor"),
        subject=Given("subject"),
        address=Given("address"),
        detail=Given("detail", into=AuditEvent.detail),
        previous_hash=Given("previous_hash"),
        hash=Given("hash"),
    )


@prepared
def _head() -> Any:
    return AuditHead.select().limit(1)


@prepared
def _move_head() -> Any:
    return AuditHead.update(
        last_id=Given("last_id"), last_hash=Given("last_hash"), seal=Given("seal")
    ).where(AuditHead.id == Given("id"))


def _take_turn() -> None:
    # SQLite's transactions are IMMEDIATE: whoever is here is alone already.
    if not database.is_sqlite():
        models.database.execute_sql(
            "SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,)
        )
