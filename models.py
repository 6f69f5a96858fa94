"""Every table of the program: columns, constraints, indexes and their words.

No query, no mail, no clock. Times are aware UTC (`UtcField`); days are dates in the
programme's own zone. Statuses are words (`StrEnum`), held to by CHECK constraints.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar, overload

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    Check,
    DatabaseProxy,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
    fn,
)
from peewee import JSONField as JsonField

database = DatabaseProxy()
Word = TypeVar("Word", bound=StrEnum)


class UtcField(DateTimeField):
    """An aware UTC time; a naive one is refused before it is stored."""

    def db_value(self, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive time: use clock.now()")
        return value.astimezone(UTC).replace(tzinfo=None)

    def python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):  # SQLite's own writing
            value = datetime.fromisoformat(value)
        stored: datetime = value
        return stored.replace(tzinfo=UTC)


@overload
def word(
    words: type[Word],
    *,
    null: Literal[True],
    without: Collection[Word] = (),
    **options: Any,
) -> "Field[Word | None]": ...


@overload
def word(
    words: type[Word], *, without: Collection[Word] = (), **options: Any
) -> "Field[Word]": ...


def word(words: type[Word], **options: Any) -> "Field[Any]":
    """Give a column for one of an enumeration's words, held to by a CHECK.

    `without` names those of the words that this column may not hold.
    """
    column: Any = WordField  # its stub knows CharField's own arguments only
    made: Field[Any] = column(words, max_length=32, **options)
    return made


class WordField(CharField):
    """A word, read back as the enumeration's member."""

    def __init__(
        self,
        words: type[StrEnum],
        *,
        without: Collection[StrEnum] = (),
        **options: Any,
    ) -> None:
        self.words, self.without = words, without
        super().__init__(**options)

    def bind(self, model: Any, name: str, set_attribute: bool = True) -> None:  # noqa: FBT001, FBT002
        super().bind(model, name, set_attribute)
        allowed = ", ".join(
            f"'{word.value}'" for word in self.words if word not in self.without
        )
        self.constraints = [Check(f'"{self.column_name}" IN ({allowed})')]

    def python_value(self, value: Any) -> Any:
        return None if value is None else self.words(value)


def amount(**options: Any) -> DecimalField:
    """Give a column for a metric amount with three decimals (ASAP type D)."""
    return DecimalField(max_digits=14, decimal_places=3, auto_round=True, **options)


class Table(Model):
    id = AutoField()

    class Meta:
        database = database
        legacy_table_names = False


# --- Roster, people and pharmacies


class Profession(StrEnum):
    PRACTITIONER = "practitioner"
    PHARMACY = "pharmacy"


class ChannelName(StrEnum):
    EMAIL = "email"
    FAX = "fax"
    LETTER = "letter"
    SMS = "sms"  # a short notice to a mobile; never a report


# A text message is no way to reach somebody with a report: none may be preferred.
NO_WAY_OF_REPORTS = (ChannelName.SMS,)


class DispenserKind(StrEnum):
    """Who dispenses: reporting schedules may differ by it."""

    PHARMACY = "pharmacy"
    PRACTITIONER = "practitioner"
    VETERINARIAN = "veterinarian"
    OUT_OF_STATE = "out_of_state"


class RosterKind(StrEnum):
    LICENCES = "licences"  # the Department's file
    CONTACTS = "contacts"  # the state's own extracts, by licence
    NPPES = "nppes"  # CMS's file of providers


class RosterSource(StrEnum):
    UPLOAD = "upload"
    FOLDER = "folder"
    COMMAND = "command"


class RosterState(StrEnum):
    WAITING = "waiting"  # to be read
    READING = "reading"
    READY = "ready"  # the preview can be looked at; nothing is applied
    FAILED = "failed"
    DISCARDED = "discarded"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class RosterImport(Table):
    """One roster file: what it would change, and whether it was applied or undone."""

    filename = CharField()
    sha256 = CharField(max_length=64, default="")
    applied_by = CharField(default="")
    applied_at = UtcField(null=True)
    new = IntegerField(default=0)
    changed = IntegerField(default=0)
    gone = IntegerField(default=0)
    invalid = IntegerField(default=0)
    kind = word(RosterKind)
    source = word(RosterSource)
    state = word(RosterState, index=True)
    asked_by = CharField()
    asked_at = UtcField()
    roster_version = IntegerField(default=0)  # the roster's, when it was read
    rows_read = IntegerField(default=0)
    unchanged = IntegerField(default=0)
    skipped = IntegerField(default=0)  # rows of no concern to the program
    error = TextField(default="")
    worker = CharField(null=True)  # who reads, applies or undoes it …
    worker_until = UtcField(null=True)  # … and holds it until then
    turn = CharField(null=True, unique=True)  # one at a time is applied or undone
    undone_by = CharField(default="")
    undone_at = UtcField(null=True)
    undo_reason = TextField(default="")


class Licence(Table):
    """A credential as the Department publishes it, with what other files join to it.

    The address is the *address of record*: credentials go there and nowhere else.
    """

    credential_id = CharField(unique=True)
    code = CharField(index=True)
    profession = word(Profession)
    name = CharField(index=True)
    status = CharField()
    active = BooleanField()
    expires_on = DateField(null=True)
    street = CharField(default="")
    city = CharField(default="")
    state = CharField(default="")
    zip = CharField(default="")
    dea = CharField(null=True, index=True)
    npi = CharField(null=True, index=True)
    ncpdp = CharField(null=True, index=True)
    phone = CharField(null=True)
    fax = CharField(null=True)
    email = CharField(null=True)
    preferred_channel = word(ChannelName, null=True, without=NO_WAY_OF_REPORTS)
    last_import = ForeignKeyField(RosterImport, null=True, on_delete="RESTRICT")
    nppes_fax = CharField(null=True)  # as its holder told CMS: to be proven


class Pharmacy(Table):
    """A dispenser as reported (PHA) and as licensed; one row for one DEA number."""

    dea = CharField(null=True, unique=True)
    ncpdp = CharField(null=True, index=True)
    npi = CharField(null=True, index=True)
    name = CharField(default="")
    street = CharField(default="")
    city = CharField(default="")
    state = CharField(default="")
    zip = CharField(default="")
    phone = CharField(null=True)
    fax = CharField(null=True)
    email = CharField(null=True)
    licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
    kind = word(DispenserKind, default=DispenserKind.PHARMACY)
    reports_since = DateField(null=True)  # empty: not among those who must report yet
    reported_through = DateField(null=True)  # nothing is open up to this day


class Prescriber(Table):
    """A prescriber as reported (PRE): DEA number and suffix name one person."""

    dea = CharField()
    dea_suffix = CharField(default="")
    npi = CharField(null=True, index=True)
    last_name = CharField(default="")
    first_name = CharField(default="")
    phone = CharField(null=True)
    fax = CharField(null=True)
    email = CharField(null=True)
    licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = (
            (("dea", "dea_suffix"), True),
            (("last_name", "first_name"), False),
        )


# What someone types is the beginning of a name.
Prescriber.add_index(
    Prescriber.index(fn.LOWER(Prescriber.last_name), name="prescriber_last_name_lower")
)


class RosterTarget(StrEnum):
    LICENCE = "licence"
    PRESCRIBER = "prescriber"
    PHARMACY = "pharmacy"


class RosterWhat(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"


class RosterChange(Table):
    """One row that an import makes or changes: its columns before and after."""

    batch = ForeignKeyField(RosterImport, on_delete="CASCADE", index=False)
    row = IntegerField(null=True)  # of the file; its header is row 1
    what = word(RosterWhat)
    target = word(RosterTarget)
    target_id = IntegerField(null=True)  # null until a new row is made
    key = CharField()  # CredentialId or DEA number
    label = CharField()
    before = JsonField(default=dict)
    after = JsonField(default=dict)
    done = BooleanField(default=False)

    class Meta:
        indexes = (
            (("batch", "what", "id"), False),
            (("batch", "done", "id"), False),
            (("target", "target_id"), False),
        )


class RosterProblem(Table):
    """A row of a roster file that cannot be used: where, what it says, and why."""

    batch = ForeignKeyField(RosterImport, on_delete="CASCADE")
    row = IntegerField()
    column = CharField(default="")
    value = CharField(default="")
    message = TextField()


class RosterUploadPart(Table):
    """A part of an uploaded roster file, sealed, until the import is decided."""

    batch = ForeignKeyField(RosterImport, on_delete="CASCADE", index=False)
    number = IntegerField()
    sealed = BlobField()

    class Meta:
        indexes = ((("batch", "number"), True),)


# --- Users, sessions, credentials


class Role(StrEnum):
    PRACTITIONER = "practitioner"
    PHARMACY = "pharmacy"
    DELEGATE = "delegate"  # looks up for one of these two, who answers for it
    STAFF = "staff"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class UserStatus(StrEnum):
    AWAITING_FIRST_SIGN_IN = "awaiting_first_sign_in"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class ReceiptPolicy(StrEnum):
    """Of which submissions a user is sent a receipt."""

    EVERY = "every"
    PROBLEMS = "problems"
    NONE = "none"


class User(Table):
    username = CharField(unique=True)
    role = word(Role)
    status = word(UserStatus)
    name = CharField()
    email = CharField(null=True)
    phone = CharField(null=True)
    fax = CharField(null=True)
    mobile = CharField(null=True)  # for text messages, once its owner agreed to them
    preferred_channel = word(ChannelName, null=True, without=NO_WAY_OF_REPORTS)
    receipts = word(ReceiptPolicy, default=ReceiptPolicy.EVERY)
    password_hash = CharField(null=True)
    failed_sign_ins = IntegerField(default=0)
    locked_until = UtcField(null=True)
    created_at = UtcField()
    last_sign_in_at = UtcField(null=True)
    password_set_at = UtcField(null=True)
    # It was short enough only because there was a second factor as well.
    password_is_short = BooleanField(null=True)
    attested_at = UtcField(null=True)  # that the account is used by its owner alone
    closing_told_at = UtcField(null=True)
    reopened_at = UtcField(null=True)
    licence_told_for = DateField(null=True)  # the last day they were told of
    licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
    prescriber = ForeignKeyField(Prescriber, null=True, on_delete="RESTRICT")
    pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")


# One account for one licence, however many staff approve at once.
User.add_index(
    User.index(
        User.licence,
        unique=True,
        name="user_of_licence_once",
        where=SQL("status <> 'closed'"),
    )
)


class DelegationStatus(StrEnum):
    ASKED = "asked"  # by the supervisor: staff decide
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by the supervisor, before it was decided
    ENDED = "ended"


class Delegation(Table):
    """That somebody looks up patients for a user, who answers for what they do."""

    supervisor = ForeignKeyField(User, on_delete="RESTRICT")
    delegate = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    status = word(DelegationStatus, default=DelegationStatus.ASKED, index=True)
    name = CharField()
    position = CharField()  # what they are in the practice: nurse, pharmacy technician
    email = CharField(default="")
    phone = CharField(default="")
    code = CharField(unique=True)  # asked for with a mailed password
    asked_at = UtcField()
    decided_by = CharField(default="")
    decided_at = UtcField(null=True)
    answer = TextField(default="")  # why staff declined
    reviewed_at = UtcField(null=True)  # the supervisor said that it is still right
    review_told_at = UtcField(null=True)
    ended_by = CharField(default="")
    ended_at = UtcField(null=True)
    end_reason = TextField(default="")

    class Meta:
        constraints = [Check("status <> 'approved' OR delegate_id IS NOT NULL")]


# One answer for one person's work for another.
Delegation.add_index(
    Delegation.index(
        Delegation.supervisor,
        Delegation.delegate,
        unique=True,
        name="delegation_approved_once",
        where=SQL("status = 'approved'"),
    )
)


class FindingKind(StrEnum):
    GONE = "gone"  # the licence is in the Department's file no more
    LAPSED = "lapsed"
    IN_FORCE_AGAIN = "in_force_again"  # of a user who was suspended for it
    COVERED_LAPSED = "covered_lapsed"  # of a pharmacy that the user reports for too
    RENAMED = "renamed"
    MOVED = "moved"  # the address of record


class FindingVerdict(StrEnum):
    SUSPENDED = "suspended"
    KEPT = "kept"  # as it is, with a reason
    REINSTATED = "reinstated"
    WITHDRAWN = "withdrawn"  # the user reports for that pharmacy no more
    NOTED = "noted"
    OVERTAKEN = "overtaken"  # it did not hold any more


class LicenceFinding(Table):
    """What the roster says about a user's licence; staff decide what follows."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
    batch = ForeignKeyField(RosterImport, null=True, on_delete="RESTRICT")  # else night
    kind = word(FindingKind)
    before = TextField(default="")
    after = TextField(default="")
    found_at = UtcField()
    verdict = word(FindingVerdict, null=True)
    reason = TextField(default="")
    settled_by = CharField(default="")
    settled_at = UtcField(null=True)


# One question at a time about one thing.
LicenceFinding.add_index(
    LicenceFinding.index(
        LicenceFinding.user,
        LicenceFinding.kind,
        LicenceFinding.licence,
        unique=True,
        name="licence_finding_open_once",
        where=SQL("settled_at IS NULL"),
    )
)


class CoveredPharmacy(Table):
    """A further pharmacy that a pharmacy's user may report for, as in a chain."""

    user = ForeignKeyField(User, on_delete="CASCADE", backref="covered_pharmacies")
    licence = ForeignKeyField(Licence, on_delete="RESTRICT")
    granted_by = CharField()
    granted_at = UtcField()

    class Meta:
        indexes = ((("user", "licence"), True),)


class Session(Table):
    """A signed-in browser; the cookie holds the token, the table only its SHA-256."""

    token_sha256 = CharField(max_length=64, unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", backref="sessions")
    created_at = UtcField()
    seen_at = UtcField()
    ended_at = UtcField(null=True)
    address = CharField(default="")
    browser = CharField(default="")


class Credential(Table):
    """A single-use password that was mailed; only its argon2 hash is kept."""

    user = ForeignKeyField(User, on_delete="CASCADE", backref="credentials")
    secret_hash = CharField()
    issued_at = UtcField()
    expires_at = UtcField()
    used_at = UtcField(null=True)
    revoked_at = UtcField(null=True)


class ProposalStatus(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Proposal(Table):
    """What one administrator proposes and a second decides; a table for each kind."""

    reason = TextField()
    proposed_by = CharField()
    proposed_at = UtcField()
    status = word(ProposalStatus, default=ProposalStatus.OPEN, index=True)
    decided_by = CharField(default="")
    decided_at = UtcField(null=True)
    answer = TextField(default="")  # why it was declined

    class Meta:
        constraints = [Check("status <> 'confirmed' OR decided_by <> proposed_by")]


class NewAccount(Proposal):
    """An account for one of the program's people, before there is one."""

    username = CharField()
    name = CharField()
    email = CharField()
    phone = CharField(default="")
    role = word(Role)


class RoleChange(Proposal):
    user = ForeignKeyField(User, on_delete="CASCADE")
    from_role = word(Role)
    to_role = word(Role)

    class Meta:
        constraints = [
            Check("from_role <> to_role"),
            Check("status <> 'confirmed' OR decided_by <> proposed_by"),
        ]


RoleChange.add_index(
    RoleChange.index(
        RoleChange.user,
        unique=True,
        name="role_change_open_once",
        where=SQL("status = 'open'"),
    )
)


class SignInAttempt(Table):
    """A refused sign-in, for the throttle by address; kept a day."""

    address = CharField(index=True)
    username = CharField(default="")
    at = UtcField(index=True)


class AuthenticatorApp(Table):
    """What makes the codes of a user's app; its secrets sealed with the document key.

    `next_secret` is one that the user has not shown to work yet.
    """

    user = ForeignKeyField(User, on_delete="CASCADE", unique=True)
    secret = BlobField(null=True)
    next_secret = BlobField(null=True)
    next_at = UtcField(null=True)
    added_at = UtcField(null=True)
    last_step = IntegerField(default=0)  # of 30 seconds; none is good twice
    wrong_tries = IntegerField(default=0)  # in a row


class RecoveryCode(Table):
    """A code for who has lost the app: good once; only a keyed hash of it is kept."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    code_hash = CharField(max_length=64)
    made_at = UtcField()
    used_at = UtcField(null=True)


class Passkey(Table):
    """A user's passkey: its public key, and how often it has signed."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    credential = CharField(unique=True, max_length=1400)  # base64url of 1023 bytes
    public_key = BlobField()
    signatures = BigIntegerField(default=0)
    name = CharField()
    added_at = UtcField()
    used_at = UtcField(null=True)


class FactorRemoval(Table):
    """A second factor that staff are to take off an account, and who agreed to it."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    reason = CharField()
    asked_by = ForeignKeyField(User, on_delete="RESTRICT", backref="factors_asked")
    asked_at = UtcField()
    decided_by = ForeignKeyField(
        User, null=True, on_delete="RESTRICT", backref="factors_decided"
    )
    decided_at = UtcField(null=True)
    agreed = BooleanField(null=True)


# One waits for an account, however many ask at once.
FactorRemoval.add_index(
    FactorRemoval.index(
        FactorRemoval.user,
        unique=True,
        name="factor_removal_waits_once",
        where=SQL("decided_at IS NULL"),
    )
)


class ForgottenPassword(Table):
    """Somebody asked for a new password; `user` is null where nobody was meant.

    Its emailed link carries a token that is made from the row with the secret key;
    the table holds the token's SHA-256.
    """

    user = ForeignKeyField(User, null=True, on_delete="CASCADE")
    by_letter = BooleanField()
    place = CharField(default="")  # the address on the network that it came from
    asked_by = CharField(default="")  # staff who did it for them
    asked_at = UtcField(index=True)
    answered_at = UtcField(null=True)
    token_sha256 = CharField(max_length=64, null=True, unique=True)
    expires_at = UtcField(null=True)
    ended_at = UtcField(null=True)  # used, or replaced by a newer one


class KeptForm(Table):
    """What a user sent when the session was over; sealed, for an hour."""

    user = ForeignKeyField(User, on_delete="CASCADE", unique=True)
    path = CharField(max_length=1000)
    sealed = BlobField()
    kept_at = UtcField(index=True)


class NoticeOfAccount(StrEnum):
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, not a secret
    NEW_SIGN_IN = "new_sign_in"
    CLOSING = "closing"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    REACTIVATED = "reactivated"
    UNLOCKED = "unlocked"
    NEW_LETTER = "new_letter"
    ROLE_CHANGED = "role_changed"
    LICENCE_SUSPENDED = "licence_suspended"
    LICENCE_REINSTATED = "licence_reinstated"
    DELEGATE_DECIDED = "delegate_decided"
    DELEGATION_BEGUN = "delegation_begun"
    DELEGATES_TO_REVIEW = "delegates_to_review"
    DELEGATION_ENDED = "delegation_ended"
    LICENCE_ENDING = "licence_ending"


class AccountNotice(Table):
    """What a user is told about their own account; no patient in it."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    kind = word(NoticeOfAccount)
    detail = JsonField(default=dict)
    made_at = UtcField()


# --- Documents and faxes


class DocumentKind(StrEnum):
    SUBMISSION = "submission"
    INBOUND_FAX = "inbound_fax"
    CREDENTIAL_LETTER = "credential_letter"
    THRESHOLD_REPORT = "threshold_report"
    CORRECTION_NOTICE = "correction_notice"
    NOTICE = "notice"
    PATIENT_REPORT = "patient_report"
    TICKET_ATTACHMENT = "ticket_attachment"
    EVIDENCE_PACK = "evidence_pack"


class Document(Table):
    """A file that the program keeps, encrypted (AES-GCM) with the document key."""

    kind = word(DocumentKind)
    media_type = CharField()
    sha256 = CharField(max_length=64, index=True)
    size = IntegerField()
    sealed = BlobField(null=True)  # null once purged; the row stays
    created_at = UtcField()
    purged_at = UtcField(null=True)


class ApplicationStatus(StrEnum):
    SUBMITTED = "submitted"
    CONFIRMATION_RECEIVED = "confirmation_received"
    RETURNED = "returned"
    APPROVED = "approved"
    CREDENTIALS_MAILED = "credentials_mailed"
    ACTIVE = "active"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Application(Table):
    """A registration: what the applicant gave, and where it stands."""

    code = CharField(unique=True)
    profession = word(Profession)
    status = word(ApplicationStatus, index=True)
    last_name = CharField(default="")
    first_name = CharField(default="")
    middle_name = CharField(default="")
    degree = CharField(default="")
    specialty = CharField(default="")
    pharmacy_name = CharField(default="")
    pharmacist_in_charge = CharField(default="")
    software_vendor = CharField(default="")
    licence_number = CharField()
    dea = CharField()
    npi = CharField(default="")
    ncpdp = CharField(default="")
    practice_name = CharField(default="")
    street = CharField(default="")
    city = CharField(default="")
    state = CharField(default="")
    zip = CharField(default="")
    phone = CharField()
    fax = CharField(default="")
    email = CharField(default="")
    mobile = CharField(null=True)  # given with the consent to text messages
    preferred_channel = word(ChannelName, null=True, without=NO_WAY_OF_REPORTS)
    attested_at = UtcField()
    submitted_at = UtcField()
    confirmation_received_at = UtcField(null=True)
    decided_at = UtcField(null=True)
    decided_by = CharField(default="")
    reason = TextField(default="")
    override_reason = TextField(default="")
    licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
    user = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    mailed_at = UtcField(null=True)  # its letter was
    reminded_at = UtcField(null=True)  # that the signed page is still awaited


class ApplicationDraft(Table):
    """A registration that is being typed, as typed; its code is the registration's."""

    code = CharField(unique=True)
    profession = word(Profession)
    answers = JsonField(default=dict)
    started_at = UtcField()
    saved_at = UtcField(index=True)


class DeskHold(Table):
    """What a member of staff has on the desk, until when: others leave it alone."""

    subject = CharField(unique=True)  # fax:12, registration:CTR-…
    user = ForeignKeyField(User, on_delete="CASCADE")
    until = UtcField()


class FaxStatus(StrEnum):
    RECEIVED = "received"
    MATCHED = "matched"
    UNMATCHED = "unmatched"
    UNREADABLE = "unreadable"
    FILED = "filed"
    RETURNED = "returned"
    DISMISSED = "dismissed"


class InboundFax(Table):
    """A fax that came in, whatever way; `source_reference` makes a replay harmless."""

    received_at = UtcField()
    source = CharField()
    source_reference = CharField(unique=True)
    from_number = CharField(default="")
    station = CharField(default="")
    document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
    pages = IntegerField(default=0)
    status = word(FaxStatus, index=True)
    codes = JsonField(default=list)
    note = TextField(default="")
    application = ForeignKeyField(
        Application, null=True, on_delete="RESTRICT", backref="faxes"
    )
    handled_by = CharField(default="")
    handled_at = UtcField(null=True)
    part_of = ForeignKeyField("self", null=True, on_delete="RESTRICT")  # as it came
    same_as = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    forgotten_at = UtcField(null=True)  # the carrier destroyed its copy
    forget_due_at = UtcField(null=True)  # when it is asked to, after it did not


class FaxSheet(Table):
    """A page of a fax's file that belongs to the fax; `number` counts in the file."""

    fax = ForeignKeyField(InboundFax, on_delete="CASCADE", index=False)
    number = IntegerField()
    blank = BooleanField(default=False)  # nothing on it: not shown
    codes = JsonField(default=list)
    look = TextField(default="")  # by which the same page is known again

    class Meta:
        indexes = ((("fax", "number"), True),)


# --- Drugs


class DrugClass(StrEnum):
    OPIOID = "opioid"
    BUPRENORPHINE = "buprenorphine"
    BENZODIAZEPINE = "benzodiazepine"
    SEDATIVE = "sedative"
    STIMULANT = "stimulant"
    GABAPENTINOID = "gabapentinoid"
    OTHER = "other"


class Product(Table):
    """A drug product by its NDC (11 digits, 5-4-2)."""

    ndc = CharField(max_length=12, unique=True)
    name = CharField()
    ingredient = CharField()
    strength = DecimalField(max_digits=14, decimal_places=4, null=True)
    strength_unit = CharField(default="")
    form = CharField(default="")
    route = CharField(default="")
    schedule = CharField(default="")  # CII, CIII, CIV, CV, or empty: not scheduled
    drug_class = word(DrugClass)
    long_acting = BooleanField(default=False)
    mme_key = CharField(default="")  # row of the rule set; empty: no factor
    acetaminophen_mg = DecimalField(max_digits=10, decimal_places=2, null=True)
    source = CharField(default="seed")


class ProductChange(Table):
    """A product that a person added or changed: its facts before and after."""

    ndc = CharField(max_length=12, index=True)
    before = JsonField(null=True)  # null: the table did not know it
    after = JsonField()
    reason = TextField()
    changed_by = CharField()
    changed_at = UtcField(index=True)
    filled = IntegerField(default=0)  # stored fills that got the facts
    undone_by = CharField(default="")
    undone_at = UtcField(null=True)


# What someone types is the beginning of a name.
Product.add_index(Product.index(fn.LOWER(Product.name), name="product_name_lower"))
Product.add_index(
    Product.index(fn.LOWER(Product.ingredient), name="product_ingredient_lower")
)


# --- Patients


class Species(StrEnum):
    HUMAN = "human"
    ANIMAL = "animal"


class Patient(Table):
    """One person (or animal), as far as matching can tell; identities point here."""

    created_at = UtcField()


# What a search compares of a birth date's people, all in one index.
COMPARED = ("last_key", "first_key", "last_name", "first_name", "zip")


class ReportedIdentity(Table):
    """A patient exactly as some dispenser reported it; immutable but for its link."""

    fingerprint = CharField(max_length=64, unique=True)
    patient = ForeignKeyField(Patient, on_delete="RESTRICT", backref="identities")
    last_name = CharField()
    first_name = CharField()
    middle_name = CharField(default="")
    suffix = CharField(default="")
    birth_date = DateField()
    sex = CharField(default="")
    street = CharField(default="")
    city = CharField(default="")
    state = CharField(default="")
    zip = CharField(default="")
    phone = CharField(default="")
    species = word(Species, default=Species.HUMAN)
    animal_name = CharField(default="")
    # What matching and look-up compare: upper case, no accents, no punctuation.
    last_key = CharField()
    first_key = CharField()
    last_sound = CharField(default="")
    link_rule = CharField(default="")
    link_score = DecimalField(max_digits=8, decimal_places=2, null=True)
    link_evidence = JsonField(default=dict)
    linked_by = CharField(default="matching")
    linked_at = UtcField()

    class Meta:
        indexes = (
            (("last_key", "first_key", "birth_date"), False),
            (("birth_date", *COMPARED, "id"), False),
            (("last_sound", "birth_date"), False),
            (("phone",), False),
            (("zip", "last_sound"), False),
        )


class ReviewStatus(StrEnum):
    OPEN = "open"
    JOINED = "joined"
    KEPT_APART = "kept_apart"


class MatchReview(Table):
    """Two that may be one: never joined without a person's decision."""

    identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")
    candidate = ForeignKeyField(Patient, on_delete="RESTRICT")
    score = DecimalField(max_digits=8, decimal_places=2)
    evidence = JsonField(default=dict)
    status = word(ReviewStatus, default=ReviewStatus.OPEN, index=True)
    opened_at = UtcField()
    decided_by = CharField(default="")
    decided_at = UtcField(null=True)

    class Meta:
        indexes = ((("identity", "candidate"), True),)


class DecisionKind(StrEnum):
    JOIN = "join"
    KEEP_APART = "keep_apart"
    SPLIT = "split"


class MatchDecision(Table):
    """What staff decided about who is one person; it stands until it is undone.

    join: all of `other` went to `patient`; keep_apart: the two are not one; split: part
    of `patient` went to `other`.
    """

    kind = word(DecisionKind)
    patient = ForeignKeyField(Patient, on_delete="RESTRICT")
    other = ForeignKeyField(Patient, on_delete="RESTRICT")
    review = ForeignKeyField(MatchReview, null=True, on_delete="RESTRICT")
    reason = TextField(default="")
    decided_by = CharField()
    decided_at = UtcField()
    besides = JsonField(default=dict)  # reviews and cases as they were, for the undo
    undone_by = CharField(default="")
    undone_at = UtcField(null=True)


class DecisionSide(StrEnum):
    PATIENT = "patient"
    OTHER = "other"


class DecidedIdentity(Table):
    """An identity that a decision was about: with whom it was, and is since.

    Those of the two sides of a keep_apart or a split may not share a patient.
    """

    decision = ForeignKeyField(
        MatchDecision, on_delete="CASCADE", backref="identities", index=False
    )
    identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")
    side = word(DecisionSide)
    before = ForeignKeyField(Patient, on_delete="RESTRICT")
    after = ForeignKeyField(Patient, on_delete="RESTRICT")
    returned = ForeignKeyField(Patient, null=True, on_delete="RESTRICT")  # by the undo

    class Meta:
        indexes = ((("decision", "identity"), True),)


# --- Submissions and dispensations


class SubmissionStatus(StrEnum):
    RECEIVED = "received"
    READING = "reading"
    FAILED_STRUCTURE = "failed_structure"
    PROCESSED = "processed"
    PROCESSED_WITH_ERRORS = "processed_with_errors"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class SubmissionSource(StrEnum):
    """How a submission came in."""

    UPLOAD = "upload"
    ENTRY = "entry"  # typed on the page
    CSV = "csv"
    FOLDER = "folder"  # dropped where an SFTP server puts it
    COMMAND = "command"


class Submission(Table):
    """One file that a user submitted, and what became of its records.

    stored + held + withdrawn + duplicate + voided + void_not_found + not_reportable +
    zero_reports = records; stored counts stored_with_warning and revised as well.
    """

    filename = CharField()
    sha256 = CharField(max_length=64, index=True)
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    submitted_by = ForeignKeyField(User, on_delete="RESTRICT")
    received_at = UtcField(index=True)
    status = word(SubmissionStatus, index=True)
    source = word(SubmissionSource, default=SubmissionSource.UPLOAD)
    dry_run = BooleanField(default=False)
    test = BooleanField(default=False)
    version = CharField(default="")
    pharmacies = JsonField(default=list)  # names as the file gives them
    bytes_read = IntegerField(default=0)  # of the check of the whole file
    progress = IntegerField(default=0)  # records of the file dealt with
    records = IntegerField(default=0)
    stored = IntegerField(default=0)
    stored_with_warning = IntegerField(default=0)
    revised = IntegerField(default=0)
    held = IntegerField(default=0)
    withdrawn = IntegerField(default=0)  # held, then taken back with a reason
    duplicate = IntegerField(default=0)
    voided = IntegerField(default=0)
    void_not_found = IntegerField(default=0)
    not_reportable = IntegerField(default=0)
    zero_reports = IntegerField(default=0)
    finished_at = UtcField(null=True)
    report_written_at = UtcField(null=True)  # beside a dropped file

    class Meta:
        indexes = ((("source", "received_at"), False),)


# The dropped files that wait for their report are few among all.
Submission.add_index(
    Submission.index(
        Submission.finished_at,
        name="submission_report_waits",
        where=SQL("source = 'folder' AND report_written_at IS NULL"),
    )
)


class RecordStatus(StrEnum):
    STORED = "stored"
    STORED_WITH_WARNING = "stored_with_warning"
    HELD = "held"
    DUPLICATE = "duplicate"
    REVISED = "revised"
    VOIDED = "voided"
    VOID_NOT_FOUND = "void_not_found"
    NOT_REPORTABLE = "not_reportable"
    ZERO_REPORT = "zero_report"
    CORRECTED = "corrected"  # held first, then corrected on the page and stored
    WITHDRAWN = "withdrawn"  # held first, then taken back: it should not have been sent


class DispensationStatus(StrEnum):
    CURRENT = "current"
    VOIDED = "voided"


class Care(StrEnum):
    """What a fill was reported to be for that a threshold rule may leave out."""

    HOSPICE = "hospice"  # and palliative care
    CANCER = "cancer"


class Dispensation(Table):
    """One fill, as it stands now; drug facts are frozen when it is stored."""

    row_code = CharField(max_length=12, unique=True)  # said on the phone, D-7K3Q9X
    patient = ForeignKeyField(Patient, on_delete="RESTRICT", index=False)
    identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")
    pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
    prescriber = ForeignKeyField(Prescriber, on_delete="RESTRICT")
    submission = ForeignKeyField(Submission, null=True, on_delete="RESTRICT")
    record_number = IntegerField(default=0)
    segment_number = IntegerField(default=0)
    status = word(DispensationStatus, default=DispensationStatus.CURRENT)
    version = IntegerField(default=1)
    corrected = BooleanField(default=False)
    # The record's identity at its pharmacy.
    prescription_number = CharField(max_length=25)
    filled_on = DateField()
    fill_number = IntegerField()
    partial = IntegerField(default=0)  # 0 whole, 1.. = n-th partial, in every version
    product_qualifier = CharField(max_length=2, default="01")
    product_code = CharField(max_length=15)
    written_on = DateField(null=True)
    sold_on = DateField(null=True)
    quantity = amount()
    days_supply = IntegerField()
    units = CharField(max_length=2, default="")  # 01 each, 02 ml, 03 g
    refills_authorized = IntegerField(default=0)
    payment = CharField(max_length=2, default="")
    # Frozen from the product.
    drug_name = CharField()
    ingredient = CharField(default="")
    strength = DecimalField(max_digits=14, decimal_places=4, null=True)
    strength_unit = CharField(default="")
    form = CharField(default="")
    schedule = CharField(default="")
    drug_class = word(DrugClass, default=DrugClass.OTHER)
    long_acting = BooleanField(default=False)
    mme_key = CharField(default="")
    acetaminophen_mg = DecimalField(max_digits=10, decimal_places=2, null=True)
    # Why administrators alone see it, a word of pmp.reported_drugs; null: everyone may.
    withheld = CharField(max_length=32, null=True)
    # Words of `Care` as pmp.care writes them; null: none was reported.
    care = CharField(max_length=32, null=True)
    stored_at = UtcField()

    class Meta:
        # Once each, among those that stand: a void makes room for its replacement.
        indexes = (
            (("patient", "filled_on", "prescriber", "pharmacy"), False),
            (("pharmacy", "filled_on"), False),
        )


Dispensation.add_index(
    Dispensation.index(
        Dispensation.pharmacy,
        Dispensation.prescription_number,
        Dispensation.filled_on,
        Dispensation.fill_number,
        Dispensation.partial,
        Dispensation.product_code,
        unique=True,
        name="dispensation_stands_once",
        where=SQL("status = 'current'"),
    )
)
# Few are voided; a void that finds nothing asks whether its fill is among them.
Dispensation.add_index(
    Dispensation.index(
        Dispensation.pharmacy,
        Dispensation.prescription_number,
        name="dispensation_voided",
        where=SQL("status = 'voided'"),
    )
)


# What nobody knows the product of waits for staff.
Dispensation.add_index(
    Dispensation.index(
        Dispensation.product_code,
        Dispensation.stored_at,
        name="dispensation_unknown_product",
        where=SQL("ingredient = '' AND product_qualifier = '01'"),
    )
)
# Few are withheld; whoever asks for them reads no other.
Dispensation.add_index(
    Dispensation.index(
        Dispensation.patient,
        name="dispensation_withheld",
        where=SQL("withheld IS NOT NULL"),
    )
)


class DispensationVersion(Table):
    """What a dispensation said before a change, and who changed it why."""

    dispensation = ForeignKeyField(
        Dispensation, on_delete="RESTRICT", backref="versions"
    )
    version = IntegerField()
    content = JsonField()
    changed_by = CharField()
    changed_at = UtcField()
    reason = TextField()
    # The file, record and segment that changed it; 0 for a change on a page.
    submission = ForeignKeyField(Submission, null=True, on_delete="RESTRICT")
    record_number = IntegerField(default=0)
    segment_number = IntegerField(default=0)

    class Meta:
        indexes = ((("dispensation", "version"), True),)


class SubmissionRecord(Table):
    """A record of a file that was not simply stored, or was stored with a warning."""

    submission = ForeignKeyField(
        Submission, on_delete="CASCADE", backref="submission_records", index=False
    )
    number = IntegerField()
    segment_number = IntegerField()
    status = word(RecordStatus)
    prescription_number = CharField(default="")
    pharmacy_name = CharField(default="")
    elements = JsonField(default=dict)  # element id → value as given, to correct here
    dispensation = ForeignKeyField(Dispensation, null=True, on_delete="SET NULL")
    corrections = JsonField(default=dict)  # element id → value as corrected
    corrected_by = CharField(default="")
    corrected_at = UtcField(null=True)
    reason = TextField(default="")  # why it was taken back

    class Meta:
        indexes = ((("submission", "number"), True),)


class Severity(StrEnum):
    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"


class SubmissionProblem(Table):
    """What is wrong with a file or a record, where, and how to mend it."""

    submission = ForeignKeyField(
        Submission, on_delete="CASCADE", backref="problems", index=False
    )
    record_number = IntegerField(null=True)
    code = CharField(max_length=8)
    severity = word(Severity)
    segment_number = IntegerField(null=True)
    byte_offset = IntegerField(null=True)
    segment_id = CharField(max_length=8, default="")
    element = CharField(max_length=8, default="")
    value = TextField(default="")
    message = TextField()
    fix = TextField(default="")

    class Meta:
        indexes = ((("submission", "record_number"), False),)


class ZeroReport(Table):
    """Nothing dispensed in these days, said by the pharmacy."""

    pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT")
    first_day = DateField()
    last_day = DateField()
    submission = ForeignKeyField(Submission, null=True, on_delete="RESTRICT")
    reported_by = CharField()
    reported_at = UtcField()

    class Meta:
        indexes = ((("pharmacy", "first_day", "last_day"), True),)


class WaitingVoid(Table):
    """A void that came before its record: it waits for it, then voids it."""

    submission = ForeignKeyField(Submission, on_delete="CASCADE")
    record_number = IntegerField()
    pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
    prescription_number = CharField(max_length=25)
    filled_on = DateField()
    fill_number = IntegerField()
    partial = IntegerField()
    product_code = CharField(max_length=15)
    quantity = amount()
    written = CharField(max_length=14)  # TH05 and TH06 of its file, CCYYMMDDHHMMSS
    waits_until = UtcField(index=True)
    applied_at = UtcField(null=True)

    class Meta:
        indexes = ((("pharmacy", "prescription_number"), False),)


class EntryDraft(Table):
    """A record that is being typed on the page and not submitted yet."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    elements = JsonField(default=dict)  # element id → text as typed
    updated_at = UtcField(index=True)


class CsvFile(Table):
    """A spreadsheet that waits until its sender has said what its columns are."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    filename = CharField()
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    uploaded_at = UtcField(index=True)
    submission = ForeignKeyField(Submission, null=True, on_delete="SET NULL")
    note = TextField(default="")  # which row of it is which record


class CsvLayout(Table):
    """What the columns of a user's spreadsheets mean, by their headings."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    headings_sha256 = CharField(max_length=64)
    columns = JsonField(default=dict)  # heading → element id
    fixed = JsonField(default=dict)  # element id → text for all rows
    updated_at = UtcField()

    class Meta:
        indexes = ((("user", "headings_sha256"), True),)


# --- Reporting: who must report by when


class Frequency(StrEnum):
    TWICE_MONTHLY = "twice_monthly"
    MONTHLY = "monthly"
    WEEKLY = "weekly"
    DAILY = "daily"


class ReportedDay(Table):
    """A submission had records of a pharmacy that it filled on a day."""

    submission = ForeignKeyField(Submission, on_delete="CASCADE", index=False)
    pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
    day = DateField(null=True)  # empty: of held records whose day cannot be read
    received_at = UtcField()  # as the submission's
    records = IntegerField(default=0)

    class Meta:
        indexes = (
            (("submission", "pharmacy", "day"), True),
            (("pharmacy", "received_at"), False),
        )


class ReportingSchedule(Table):
    """How often a kind of dispenser reports from a day on; later rows replace it."""

    kind = word(DispenserKind)
    frequency = word(Frequency)
    grace_days = IntegerField(constraints=[Check("grace_days BETWEEN 0 AND 31")])
    business_days = BooleanField(default=False)  # grace skips weekends and closed days
    starts_on = DateField()  # of two with the same day, the one written last holds
    reason = TextField(default="")
    written_by = CharField()
    written_at = UtcField()

    class Meta:
        indexes = ((("kind", "starts_on"), False),)


class ClosedDay(Table):
    """A day that is no business day: a holiday, or the office is closed."""

    day = DateField(unique=True)
    name = CharField()


class ReportingExemption(Table):
    """Days for which a pharmacy need not report; `last_day` empty: until further."""

    pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT")
    first_day = DateField()
    last_day = DateField(null=True)
    reason = TextField()
    granted_by = CharField()
    granted_at = UtcField()


class NoticeKind(StrEnum):
    REMINDER = "reminder"
    LATE = "late"
    HELD_RECORDS = "held_records"


class ReportingNotice(Table):
    """What a pharmacy was told about days, or a submitter about held records."""

    kind = word(NoticeKind)
    pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
    submission = ForeignKeyField(Submission, null=True, on_delete="CASCADE")
    first_day = DateField()
    last_day = DateField()
    due_on = DateField()
    number = IntegerField(default=1)  # of those that begin with the same day
    reply_code = CharField(null=True, unique=True)  # comes back by fax; no patient data
    made_by = CharField(default="system")
    made_at = UtcField()
    answered_at = UtcField(null=True, index=True)  # nothing is open any more
    answered_by = CharField(default="")

    class Meta:
        constraints = [Check("(pharmacy_id IS NULL) <> (submission_id IS NULL)")]
        # Once each, however many workers send them.
        indexes = (
            (("pharmacy", "kind", "first_day", "number"), True),
            (("submission", "number"), True),
        )


class ReportingNote(Table):
    """What staff wrote down about a late pharmacy or a submission with held records."""

    pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
    submission = ForeignKeyField(Submission, null=True, on_delete="CASCADE")
    text = TextField()
    written_by = CharField()
    written_at = UtcField()

    class Meta:
        constraints = [Check("(pharmacy_id IS NULL) <> (submission_id IS NULL)")]


# --- Look-ups and disclosures


class Purpose(StrEnum):
    TREATING = "treating"
    DISPENSING = "dispensing"
    REVIEWING_OWN = "reviewing_own"
    OVERSIGHT = "oversight"


class LookUpOutcome(StrEnum):
    ASKED = "asked"
    REPORT = "report"
    CANDIDATES = "candidates"
    NONE = "none"
    REFUSED = "refused"


class LookUpOrigin(StrEnum):
    """Where a look-up began."""

    SEARCH = "search"
    CANDIDATE = "candidate"  # chosen among several
    AGAIN = "again"  # an earlier one opened again
    SCHEDULE = "schedule"  # a line of a list of tomorrow's patients


class LookUp(Table):
    """A search, kept before it is answered."""

    user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
    at = UtcField(index=True)
    origin = word(LookUpOrigin, default=LookUpOrigin.SEARCH)
    first_name = CharField()
    last_name = CharField()
    birth_date = DateField(null=True)
    zip = CharField(default="")
    similar = BooleanField(default=False)
    purpose = word(Purpose)
    since = DateField()
    until = DateField()
    address = CharField(default="")
    outcome = word(LookUpOutcome, default=LookUpOutcome.ASKED)
    refusal = CharField(default="")  # which limit refused it
    candidates = JsonField(default=list)  # patient ids offered
    patient = ForeignKeyField(Patient, null=True, on_delete="RESTRICT")
    entries = IntegerField(default=0)
    token_sha256 = CharField(max_length=64, null=True, unique=True)
    token_until = UtcField(null=True)
    # Of a delegate's: on whose behalf.
    delegation = ForeignKeyField(
        Delegation, null=True, on_delete="RESTRICT", index=False
    )

    class Meta:
        indexes = ((("user", "at"), False),)


LookUp.add_index(
    LookUp.index(
        LookUp.delegation,
        LookUp.at,
        name="look_up_of_delegation",
        where=SQL("delegation_id IS NOT NULL"),
    )
)


class UnusualKind(StrEnum):
    """Why staff should have a look at a look-up."""

    OWN_NAME = "own_name"
    PROTECTED_PERSON = "protected_person"
    VOLUME = "volume"
    LIMIT = "limit"
    NO_LINK = "no_link"
    ODD_HOUR = "odd_hour"


class UnusualStatus(StrEnum):
    OPEN = "open"
    ASKED = "asked"
    ANSWERED = "answered"
    EXPLAINED = "explained"


class UnusualLookUp(Table):
    """A look-up that is not as look-ups mostly are; `reason` is a sentence."""

    look_up = ForeignKeyField(LookUp, on_delete="RESTRICT", index=False)
    user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
    kind = word(UnusualKind)
    reason = TextField()
    status = word(UnusualStatus, default=UnusualStatus.OPEN)
    found_at = UtcField()
    explained_by = CharField(default="")
    explained_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("look_up", "kind"), True),
            (("status", "found_at"), False),
            (("user", "kind", "found_at"), False),
        )


class UnusualLookUpMessage(Table):
    """What staff asked, the user answered, or staff noted in the end."""

    unusual = ForeignKeyField(UnusualLookUp, on_delete="CASCADE", backref="messages")
    at = UtcField()
    by = CharField()
    text = TextField()


class ProtectedPerson(Table):
    """Somebody whose every look-up staff want to know of; a sensitive list."""

    last_name = CharField()
    first_name = CharField()
    birth_date = DateField(index=True)
    reason = TextField()
    added_by = CharField()
    added_at = UtcField()
    removed_by = CharField(default="")
    removed_at = UtcField(null=True)


class PatientSchedule(Table):
    """A list of patients whom a user expects; forgotten after a few days."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    purpose = word(Purpose)
    since = DateField()
    until = DateField()
    similar = BooleanField(default=False)
    made_at = UtcField()
    finished_at = UtcField(null=True, index=True)
    forget_at = UtcField(index=True)
    delegation = ForeignKeyField(
        Delegation, null=True, on_delete="RESTRICT", index=False
    )


class ScheduledPatient(Table):
    """A line of such a list, and in short what its look-up found."""

    schedule = ForeignKeyField(
        PatientSchedule, on_delete="CASCADE", backref="people", index=False
    )
    number = IntegerField()
    first_name = CharField()
    last_name = CharField()
    birth_date = DateField()
    claimed_until = UtcField(null=True)
    outcome = word(LookUpOutcome, default=LookUpOutcome.ASKED)
    look_up = ForeignKeyField(LookUp, null=True, on_delete="SET NULL")
    fills = IntegerField(default=0)
    last_fill = DateField(null=True)
    mme = CharField(default="")  # MME a day on that day, as the report writes it
    warnings = IntegerField(default=0)

    class Meta:
        indexes = ((("schedule", "number"), True),)


class Disclosure(Table):
    """Patient information that left the program (45 CFR 164.528)."""

    patient = ForeignKeyField(Patient, on_delete="RESTRICT")
    at = UtcField()
    recipient = CharField()
    address = CharField(default="")
    what = CharField()
    purpose = CharField()
    look_up = ForeignKeyField(LookUp, null=True, on_delete="RESTRICT")
    suspended_until = DateField(null=True)  # the patient is told from then on


class PatientAsk(StrEnum):
    """What a patient wants to have."""

    BOTH = "both"
    RECORD = "record"
    ACCOUNTING = "accounting"


class PatientRequestState(StrEnum):
    OPEN = "open"
    GIVEN = "given"  # handed over
    MAILED = "mailed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class PatientRequest(Table):
    """What a patient asks of the program about themselves (164.524, 164.528)."""

    patient = ForeignKeyField(Patient, on_delete="RESTRICT")
    asks = word(PatientAsk)
    asked_by = CharField()
    represents = CharField(default="")  # why they may ask for the patient; empty: are
    identity_paper = CharField()  # its kind alone: neither number nor copy is kept
    paper_seen_by = CharField()
    address = TextField(default="")  # where it is mailed to; empty: is fetched
    since = DateField()
    until = DateField()
    received_on = DateField()
    due_on = DateField()
    state = word(PatientRequestState, default=PatientRequestState.OPEN, index=True)
    extended_at = UtcField(null=True)
    extended_by = CharField(default="")
    extended_reason = TextField(default="")
    extension_letter = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
    document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
    code = CharField(max_length=16, null=True, unique=True)
    pages = IntegerField(default=0)
    made_at = UtcField(null=True)
    taken_by = CharField()
    taken_at = UtcField()
    ended_by = CharField(default="")
    ended_at = UtcField(null=True)
    ended_note = TextField(default="")
    denied_ground = CharField(default="")  # a word of pmp.disclosures.denials
    denial_letter = ForeignKeyField(Document, null=True, on_delete="RESTRICT")

    class Meta:
        constraints = [Check("(state = 'open') = (ended_at IS NULL)")]


class PartDenial(Table):
    """Entries that a patient is not given, while they get the rest (164.524(d)(1))."""

    request = ForeignKeyField(PatientRequest, on_delete="RESTRICT", unique=True)
    entries = JsonField()  # their row codes
    ground = CharField()
    reason = TextField()
    denied_by = CharField()
    denied_at = UtcField()
    letter = ForeignKeyField(Document, null=True, on_delete="RESTRICT")


class ReviewOutcome(StrEnum):
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class DenialReview(Table):
    """A patient had a denial reviewed, of all or a part (164.524(a)(4), (d)(4))."""

    request = ForeignKeyField(PatientRequest, on_delete="RESTRICT", index=False)
    denied_at = UtcField()  # which denial
    asked_on = DateField()
    noted_by = CharField()
    reviewer = CharField(default="")
    outcome = word(ReviewOutcome, null=True)
    reason = TextField(default="")
    ended_by = CharField(default="")
    ended_at = UtcField(null=True)
    letter = ForeignKeyField(Document, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = ((("request", "denied_at"), True),)


class LetterMailing(Table):
    """A letter of a patient's request, and when it was mailed."""

    document = ForeignKeyField(Document, on_delete="RESTRICT", unique=True)
    mailed_on = DateField()
    noted_by = CharField()


class OfficialState(StrEnum):
    PREPARING = "preparing"
    WAITING = "waiting"  # for a second person
    RELEASED = "released"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class Suspension(StrEnum):
    """How an office asked that the patient is not told yet (164.528(a)(2))."""

    WRITTEN = "written"
    ORAL = "oral"


class OfficialRequest(Table):
    """What law enforcement or another office asks for; two persons release it."""

    case_number = CharField()
    agency = CharField()
    officer = CharField()
    contact = CharField(default="")
    address = TextField(default="")
    legal_basis = CharField()
    reason = TextField(default="")
    received_on = DateField()
    since = DateField()
    until = DateField()
    classes = JsonField(default=list)  # words of pmp.reported_drugs; empty: all
    suspension = word(Suspension, null=True)
    suspended_until = DateField(null=True)
    state = word(OfficialState, default=OfficialState.PREPARING, index=True)
    revision = IntegerField(default=1)  # two who save at once: the second is told
    prepared_by = CharField()
    prepared_at = UtcField()
    decided_by = CharField(default="")
    decided_at = UtcField(null=True)
    decided_note = TextField(default="")
    document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
    code = CharField(max_length=16, null=True, unique=True)
    pages = IntegerField(default=0)

    class Meta:
        constraints = [
            Check("decided_by <> prepared_by"),
            Check("(suspension IS NULL) = (suspended_until IS NULL)"),
            Check("(state = 'released') = (document_id IS NOT NULL)"),
        ]


class OfficialRequestPatient(Table):
    """Whom an official request is about."""

    request = ForeignKeyField(
        OfficialRequest, on_delete="CASCADE", backref="persons", index=False
    )
    patient = ForeignKeyField(Patient, on_delete="RESTRICT")
    added_at = UtcField()
    disclosure = ForeignKeyField(Disclosure, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = ((("request", "patient"), True),)


class ReportSeen(Table):
    """Which entries a look-up's report showed last, to tell what has changed since."""

    look_up = ForeignKeyField(LookUp, unique=True, on_delete="CASCADE")
    seen_at = UtcField()
    entries = JsonField(default=dict)  # row code → version


class ReportCopy(Table):
    """A report's PDF as it was downloaded; `code` is printed on each of its pages."""

    look_up = ForeignKeyField(LookUp, on_delete="RESTRICT")
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    code = CharField(max_length=16, unique=True)
    pages = IntegerField()
    entries = IntegerField()
    sha256 = CharField(max_length=64)
    made_at = UtcField(index=True)
    made_by = ForeignKeyField(User, on_delete="RESTRICT")


# --- Thresholds


class RuleStatus(StrEnum):
    ACTIVE = "active"
    SILENT = "silent"
    OFF = "off"


class Connective(StrEnum):
    AND = "and"
    OR = "or"


class RuleKind(StrEnum):
    """What a rule counts; of all but providers it asks for an `amount`."""

    PROVIDERS = "providers"
    DAILY_MME = "daily_mme"  # morphine milligram equivalents a day
    OPIOID_BENZODIAZEPINE = "opioid_benzodiazepine"  # days that both cover
    LONG_OPIOID_USE = "long_opioid_use"  # days in a row
    METHADONE = "methadone"  # milligrams a day


class ThresholdRule(Table):
    """Numbers that a patient reaches or exceeds: see `pmp.thresholds.threshold_rules`.

    What a kind does not ask for is 1, 0 or empty.
    """

    name = CharField()
    version = IntegerField(default=1)
    status = word(RuleStatus, default=RuleStatus.ACTIVE)
    prescribers = IntegerField(constraints=[Check("prescribers >= 1")])
    pharmacies = IntegerField(constraints=[Check("pharmacies >= 1")])
    connective = word(Connective, default=Connective.AND)
    window_days = IntegerField(constraints=[Check("window_days BETWEEN 1 AND 731")])
    schedules = JsonField(default=list)  # ["CII", "CIII", "CIV"]; empty: all
    kind = word(RuleKind, default=RuleKind.PROVIDERS)
    amount = IntegerField(
        default=0, constraints=[Check("(kind = 'providers') = (amount = 0)")]
    )
    gap_days = IntegerField(default=0, constraints=[Check("gap_days BETWEEN 0 AND 30")])
    drug_classes = JsonField(default=list)  # words of `DrugClass`; empty: all
    minimum_fills = IntegerField(default=1, constraints=[Check("minimum_fills >= 1")])
    practices_once = BooleanField(default=False)
    exclusions = JsonField(default=list)  # words of `Care`
    cool_down_days = IntegerField(
        default=0, constraints=[Check("cool_down_days BETWEEN 0 AND 731")]
    )
    send_when_worse = BooleanField(default=True)  # in spite of the cool-down
    reason = TextField(default="")
    written_by = CharField()
    written_at = UtcField()

    class Meta:
        indexes = ((("name", "version"), True),)


class CaseStatus(StrEnum):
    DETECTED = "detected"
    HELD = "held_for_review"
    QUEUED = "queued"
    SENT = "sent"
    ANSWERED = "answered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class ThresholdCase(Table):
    """A patient who reached a rule's numbers; once for each crossing."""

    rule = ForeignKeyField(ThresholdRule, on_delete="RESTRICT")
    patient = ForeignKeyField(Patient, on_delete="RESTRICT")
    crossed_on = DateField()  # the fill on which the numbers were reached
    window_first = DateField()
    window_last = DateField()
    prescribers = IntegerField()
    pharmacies = IntegerField()
    # What a rule of another kind counts, at its most; and the first day of that.
    reached = DecimalField(max_digits=12, decimal_places=2, auto_round=True, null=True)
    reached_on = DateField(null=True)
    status = word(CaseStatus, default=CaseStatus.DETECTED, index=True)
    detected_at = UtcField()
    queued_at = UtcField(null=True)  # when its reports were first asked for
    closed_at = UtcField(null=True)
    closed_reason = TextField(null=True)
    cool_down_ends = DateField(null=True)  # kept unsent for its rule's cool-down
    withdrawn_reason = TextField(default="")


ThresholdCase.add_index(
    ThresholdCase.index(
        ThresholdCase.patient,
        ThresholdCase.rule,
        ThresholdCase.crossed_on,
        unique=True,
        name="threshold_case_stands_once",
        where=SQL("status <> 'withdrawn'"),
    )
)


class CaseEntry(Table):
    """A dispensation that a case counted."""

    case = ForeignKeyField(ThresholdCase, on_delete="CASCADE", backref="entries")
    dispensation = ForeignKeyField(Dispensation, on_delete="RESTRICT")
    version = IntegerField(default=1)  # of the dispensation, when it was counted

    class Meta:
        indexes = ((("case", "dispensation"), True),)


class RecipientAnswer(StrEnum):
    MY_PATIENT = "my_patient"
    NOT_MY_PATIENT = "not_my_patient"


class CaseRecipient(Table):
    """A prescriber or a pharmacy that a Patient Threshold Report goes to."""

    case = ForeignKeyField(ThresholdCase, on_delete="CASCADE", backref="recipients")
    prescriber = ForeignKeyField(Prescriber, null=True, on_delete="RESTRICT")
    pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    reply_code = CharField(unique=True)  # on the reply page; no patient data
    document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
    opened_at = UtcField(null=True)
    answer = word(RecipientAnswer, null=True)
    answered_at = UtcField(null=True)
    note = TextField(default="")

    class Meta:
        constraints = [Check("(prescriber_id IS NULL) <> (pharmacy_id IS NULL)")]
        indexes = (
            (("case", "prescriber"), True),
            (("case", "pharmacy"), True),
        )


class ThresholdReportCopy(Table):
    """A drawing of a recipient's report; `code` is printed on its pages.

    The recipient's `document` is the one that stands; an earlier one never left.
    """

    recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE", backref="copies")
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    code = CharField(max_length=16, null=True, unique=True)  # null: from before codes
    pages = IntegerField()
    sha256 = CharField(max_length=64)
    entries = JsonField(default=list)  # row codes
    made_at = UtcField(index=True)


class ReplyChannel(StrEnum):
    """The way by which a recipient answered."""

    PAGE = "page"
    FAX = "fax"
    PHONE = "phone"


class RecipientReply(Table):
    """What a recipient of a report answered, each time; the newest counts."""

    recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE", backref="replies")
    channel = word(ReplyChannel)
    answer = word(RecipientAnswer, null=True)
    wrong_rows = JsonField(default=dict)  # row code → a TicketProblem
    discussed_with_patient = BooleanField(default=False)
    discussed_with_others = BooleanField(default=False)
    referral_offered = BooleanField(default=False)
    please_call = BooleanField(default=False)
    note = TextField(default="")
    tickets = JsonField(default=list)  # numbers: opened by it, or added to
    given_by = CharField()  # the recipient's user, or who of the staff wrote it down
    given_at = UtcField()
    called_by = CharField(default="")
    called_at = UtcField(null=True)


class FaxedReplyStatus(StrEnum):
    WAITING = "waiting"
    KEPT = "kept"
    SET_ASIDE = "set_aside"


class SetAsideReason(StrEnum):
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"
    WRONG_PERSON = "wrong_person"
    REPEATED = "repeated"
    OTHER = "other"


class FaxedReply(Table):
    """A reply page that came by fax; once for each recipient whose code it shows."""

    fax = ForeignKeyField(InboundFax, on_delete="RESTRICT", index=False)
    recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE")
    page = IntegerField(default=0)  # on which the code stands; 0: not known
    status = word(FaxedReplyStatus, default=FaxedReplyStatus.WAITING, index=True)
    received_at = UtcField()
    reply = ForeignKeyField(RecipientReply, null=True, on_delete="RESTRICT")
    reason = word(SetAsideReason, null=True)
    note = TextField(default="")
    handled_by = CharField(default="")
    handled_at = UtcField(null=True)

    class Meta:
        indexes = ((("fax", "recipient"), True),)


class CareNote(Table):
    """What one recipient of a report writes to another, about the same patient."""

    sender = ForeignKeyField(CaseRecipient, on_delete="RESTRICT")
    addressee = ForeignKeyField(CaseRecipient, on_delete="RESTRICT")
    text = TextField()
    sent_by = ForeignKeyField(User, on_delete="RESTRICT", index=False)
    sent_at = UtcField()
    opened_at = UtcField(null=True)

    class Meta:
        constraints = [Check("sender_id <> addressee_id")]
        indexes = ((("sent_by", "sent_at"), False),)


# --- Tickets


class TicketStatus(StrEnum):
    NEW = "new"
    TRIAGED = "triaged"
    WITH_DISPENSER = "with_dispenser"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    TOLD = "told"
    CLOSED = "closed"


class TicketProblem(StrEnum):
    NOT_MY_PATIENT = "not_my_patient"
    DID_NOT_WRITE = "did_not_write"
    WRONG_DRUG = "wrong_drug"
    WRONG_QUANTITY = "wrong_quantity"
    WRONG_DATE = "wrong_date"
    RETURNED_TO_STOCK = "returned_to_stock"
    WRONG_PERSON = "wrong_person"
    OTHER = "other"
    WRONG_DAYS = "wrong_days"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    POSSIBLE_FORGERY = "possible_forgery"


class TicketOutcome(StrEnum):
    CORRECTED = "corrected"
    VOIDED = "voided"
    UPHELD = "upheld"
    IDENTITY_FIXED = "identity_fixed"
    REFERRED = "referred"


class Ticket(Table):
    """An inaccuracy report: what of, what is wrong with it, a clock, an outcome.

    It is about one entry, or about a patient's record as a whole: something is missing
    in it, or the report of it is another person's.
    """

    number = CharField(unique=True)
    dispensation = ForeignKeyField(
        Dispensation, null=True, on_delete="RESTRICT", backref="tickets"
    )
    patient = ForeignKeyField(Patient, null=True, on_delete="RESTRICT")
    look_up = ForeignKeyField(LookUp, null=True, on_delete="RESTRICT")  # its report
    case = ForeignKeyField(ThresholdCase, null=True, on_delete="RESTRICT")
    reporter = CharField()  # user:12, recipient:7, phone:+18605550123, patient:34
    opened_by = ForeignKeyField(User, on_delete="RESTRICT")
    opened_at = UtcField()
    due_at = UtcField()
    problem = word(TicketProblem)
    note = TextField(default="")
    status = word(TicketStatus, default=TicketStatus.NEW, index=True)
    assigned_to = ForeignKeyField(User, null=True, on_delete="SET NULL")
    outcome = word(TicketOutcome, null=True)
    outcome_note = TextField(default="")
    resolved_at = UtcField(null=True)
    resolved_by = CharField(default="")
    revision = IntegerField(default=1)  # two who save at once: the second is told
    triage_due_at = UtcField(null=True)  # null: opened before there was this clock
    asked_at = UtcField(null=True)  # the dispenser, last
    dispenser_due_at = UtcField(null=True)
    escalated_at = UtcField(null=True)

    class Meta:
        constraints = [Check("(dispensation_id IS NULL) <> (patient_id IS NULL)")]


Ticket.add_index(
    Ticket.index(
        Ticket.dispensation,
        Ticket.reporter,
        unique=True,
        name="ticket_open_once",
        where=SQL("resolved_at IS NULL"),
    )
)
Ticket.add_index(
    Ticket.index(
        Ticket.patient,
        Ticket.reporter,
        Ticket.problem,
        unique=True,
        name="ticket_of_record_open_once",
        where=SQL("resolved_at IS NULL AND dispensation_id IS NULL"),
    )
)


class Audience(StrEnum):
    """Who reads a line or a file of a ticket; staff read all."""

    REPORTER = "reporter"
    DISPENSER = "dispenser"
    STAFF = "staff"


class TicketMessage(Table):
    """One line of a ticket's thread."""

    ticket = ForeignKeyField(Ticket, on_delete="CASCADE", backref="messages")
    at = UtcField()
    by = CharField()
    text = TextField()
    audience = word(Audience, default=Audience.REPORTER)


class TicketAttachment(Table):
    """A paper that belongs to a ticket; the name that its file had is not kept."""

    ticket = ForeignKeyField(Ticket, on_delete="RESTRICT", backref="attachments")
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    what = CharField()  # "The prescription, as faxed"
    audience = word(Audience)
    pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")  # dispenser
    added_by = CharField()
    added_at = UtcField()
    removed_by = CharField(default="")
    removed_at = UtcField(null=True)
    fax = ForeignKeyField(InboundFax, null=True, on_delete="RESTRICT")  # it came by

    class Meta:
        constraints = [Check("(audience = 'dispenser') = (pharmacy_id IS NOT NULL)")]


class TicketClock(StrEnum):
    """What a ticket waits for by when."""

    TRIAGE = "triage"
    DISPENSER = "dispenser"
    OUTCOME = "outcome"


class TicketOverdue(Table):
    """A clock of a ticket that ran out, and when staff were told; once for each."""

    ticket = ForeignKeyField(Ticket, on_delete="CASCADE", index=False)
    clock = word(TicketClock)
    due_at = UtcField()
    noticed_at = UtcField()

    class Meta:
        indexes = ((("ticket", "clock", "due_at"), True),)


class TicketTaker(Table):
    """A staff member who takes tickets of a kind."""

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    problem = word(TicketProblem)

    class Meta:
        indexes = ((("user", "problem"), True),)


class EvidencePack(Table):
    """A PDF with all there is about a ticket, made for somebody outside."""

    ticket = ForeignKeyField(Ticket, on_delete="RESTRICT", backref="packs")
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    code = CharField(max_length=16, unique=True)
    recipient = CharField()
    reason = TextField()
    pages = IntegerField()
    made_by = CharField()
    made_at = UtcField()


class TicketIdentity(Table):
    """A reported identity that a reporter says is not their patient."""

    ticket = ForeignKeyField(
        Ticket, on_delete="CASCADE", backref="identities", index=False
    )
    identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")

    class Meta:
        indexes = ((("ticket", "identity"), True),)


class OutsideKind(StrEnum):
    CALLER = "caller"  # reads a row code from a report on paper
    PATIENT = "patient"  # asks in writing, 45 CFR 164.526


class OutsideReporter(Table):
    """Who reported an inaccuracy and is no user: how, and how they are answered."""

    ticket = ForeignKeyField(Ticket, unique=True, on_delete="CASCADE")
    kind = word(OutsideKind)
    name = CharField()
    relation = CharField(default="")
    phone = CharField(default="")  # +1 and ten digits
    fax = CharField(default="")
    address = TextField(default="")  # postal lines
    # Empty: staff call them back.
    answer_by = word(ChannelName, null=True, without=NO_WAY_OF_REPORTS)
    received_on = DateField()
    answered_at = UtcField(null=True)
    answered_by = CharField(default="")


class QuestionAnswer(StrEnum):
    CORRECTED = "corrected"
    REMOVED = "removed"
    REPORTED = "reported"  # what was missing has been sent
    EXPLAINED = "explained"


class TicketQuestion(Table):
    """What staff ask a dispenser about a ticket, and its answer."""

    ticket = ForeignKeyField(Ticket, on_delete="CASCADE", backref="questions")
    pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
    text = TextField()
    asked_by = CharField()
    asked_at = UtcField()
    due_at = UtcField()
    answer = word(QuestionAnswer, null=True)
    answer_text = TextField(default="")
    answered_by = CharField(default="")
    answered_at = UtcField(null=True)

    class Meta:
        indexes = ((("pharmacy", "answered_at"), False),)


class LookUpCorrection(Table):
    """What a user is told about an entry that a report of theirs showed."""

    user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
    look_up = ForeignKeyField(LookUp, on_delete="RESTRICT")
    dispensation = ForeignKeyField(Dispensation, on_delete="RESTRICT")
    version = IntegerField()  # of the dispensation, after the change
    turn = IntegerField(default=0)  # of one version: moved away, back, away again
    outcome = word(TicketOutcome)
    made_at = UtcField()
    seen_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("user", "dispensation", "version", "turn"), True),
            (("user", "seen_at"), False),
        )


class CorrectionNotice(Table):
    """What one recipient of a report is told about an entry that changed."""

    recipient = ForeignKeyField(CaseRecipient, on_delete="RESTRICT")
    dispensation = ForeignKeyField(Dispensation, on_delete="RESTRICT")
    version = IntegerField()  # of the dispensation, after the change
    turn = IntegerField(default=0)  # of one version: moved away, back, away again
    outcome = word(TicketOutcome)
    case_withdrawn = BooleanField()
    made_at = UtcField()
    opened_at = UtcField(null=True)
    document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = ((("recipient", "dispensation", "version", "turn"), True),)


# --- Deliveries: the outbox


class DeliveryKind(StrEnum):
    CREDENTIAL_LETTER = "credential_letter"
    REGISTRATION_NOTICE = "registration_notice"
    THRESHOLD_REPORT = "threshold_report"
    CORRECTION_NOTICE = "correction_notice"
    TICKET_NOTICE = "ticket_notice"
    SUBMISSION_RECEIPT = "submission_receipt"
    REPORTING_NOTICE = "reporting_notice"
    CARE_NOTE = "care_note"
    TICKET_QUESTION = "ticket_question"
    OUTSIDE_ANSWER = "outside_answer"
    LOOK_UP_CORRECTION = "look_up_correction"
    STAFF_ALERT = "staff_alert"
    FAX_TEST_PAGE = "fax_test_page"
    EMAIL_CHECK = "email_check"
    MOBILE_CODE = "mobile_code"
    CONTACT_CHANGE = "contact_change"
    DESTROY_NOTICE = "destroy_notice"
    FORGOTTEN_PASSWORD = "forgotten_password"  # noqa: S105 - a word, not a secret
    ACCOUNT_NOTICE = "account_notice"


class DeliveryState(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SUBMITTED = "submitted"
    IN_DOUBT = "in_doubt"
    SENT = "sent"
    DELIVERED = "delivered"
    PRINTED = "printed"
    MAILED = "mailed"
    RETURNED = "returned"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    BATCHED = "batched"  # a letter in a print run, not yet out of the printer


class ErrorClass(StrEnum):
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NOT_A_FAX = "not_a_fax"
    LINE_DROPPED = "line_dropped"
    REJECTED = "rejected"
    DOCUMENT = "document"
    CARRIER_DOWN = "carrier_down"
    THROTTLED = "throttled"
    CONFIGURATION = "configuration"
    IN_DOUBT = "in_doubt"
    UNKNOWN = "unknown"


class Delivery(Table):
    """One message to one address by one channel; the truth of what was sent."""

    kind = word(DeliveryKind)
    subject_id = IntegerField()  # id of the row that the kind is about
    channel = word(ChannelName)
    address = TextField()  # email address, +1 number, or postal lines
    further_routes = JsonField(default=list)  # [[channel, address], …] tried after it
    dedupe_key = CharField(unique=True)
    priority = IntegerField(default=5)  # lower goes first
    state = word(DeliveryState, default=DeliveryState.QUEUED)
    revision = IntegerField(default=0)
    attempts = IntegerField(default=0)
    due_at = UtcField()
    deadline_at = UtcField()
    lease_owner = CharField(null=True)
    lease_until = UtcField(null=True)
    called_at = UtcField(null=True)  # by its present attempt, or just about to be
    possible_duplicate = BooleanField(default=False)
    needs_staff = BooleanField(default=False)
    document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
    error_class = word(ErrorClass, null=True)
    error_text = TextField(default="")
    parent = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    created_at = UtcField()
    submitted_at = UtcField(null=True)
    final_at = UtcField(null=True, index=True)
    told_at = UtcField(null=True)  # staff were told that it needs them

    class Meta:
        indexes = (
            (("state", "due_at"), False),
            (("kind", "subject_id"), False),
            (("address", "created_at"), False),  # whose fax may this be?
        )


# Who is next in each channel, however many wait.
Delivery.add_index(
    Delivery.index(
        Delivery.channel,
        Delivery.priority,
        Delivery.due_at,
        Delivery.id,
        where=SQL("state = 'queued'"),
        name="delivery_queued",
    )
)
Delivery.add_index(
    Delivery.index(
        Delivery.told_at, where=SQL("needs_staff"), name="delivery_needs_staff"
    )
)


class DeliveryAttempt(Table):
    """One try, written down before the carrier is called."""

    delivery = ForeignKeyField(Delivery, on_delete="CASCADE", backref="attempt_rows")
    number = IntegerField()
    idempotency_key = CharField(unique=True)  # "<delivery>-<number>"
    carrier = CharField(default="")
    carrier_reference = CharField(null=True)
    media_sha256 = CharField(max_length=64, null=True, unique=True)
    media_until = UtcField(null=True)
    media_fetched_at = UtcField(null=True)
    started_at = UtcField(index=True)
    ended_at = UtcField(null=True)
    outcome = CharField(default="")
    error_class = word(ErrorClass, null=True)
    pages_sent = IntegerField(null=True)
    station = CharField(default="")
    forgotten_at = UtcField(null=True)  # the carrier destroyed its copy
    forget_due_at = UtcField(null=True)  # when it is asked to, after it did not

    class Meta:
        indexes = (
            (("delivery", "number"), True),
            (("carrier", "carrier_reference"), True),
            (("station", "started_at"), False),
        )


class DeliveryEvent(Table):
    """Append-only history of a delivery: worker, call-back, poll, staff."""

    delivery = ForeignKeyField(Delivery, on_delete="CASCADE", backref="events")
    attempt = ForeignKeyField(DeliveryAttempt, null=True, on_delete="CASCADE")
    source = CharField()
    event_key = CharField(null=True, unique=True)  # a carrier's repeat counts once
    from_state = CharField(default="")
    to_state = CharField(default="")
    note = TextField(default="")
    at = UtcField()


class MailProblem(Table):
    """An address from which email came back: its user is told, and staff."""

    address = CharField(unique=True)  # in small letters
    delivery = ForeignKeyField(Delivery, on_delete="CASCADE")
    reason = CharField()  # why, as the history of the delivery says it
    found_at = UtcField(index=True)


class MailCertificate(Table):
    """The S/MIME certificate of an email address: what is sealed for it is private.

    The newest that was not withdrawn is used.
    """

    address = CharField(index=True)  # in small letters
    pem = TextField()
    fingerprint = CharField(max_length=64)  # SHA-256 of the certificate
    holder = CharField()
    issuer = CharField()
    not_after = UtcField()
    added_by = CharField()
    added_at = UtcField()
    withdrawn_by = CharField(null=True)
    withdrawn_at = UtcField(null=True)


MailCertificate.add_index(
    MailCertificate.index(
        MailCertificate.address,
        unique=True,
        name="mail_certificate_in_use_once",
        where=SQL("withdrawn_at IS NULL"),
    )
)


class PrintRun(Table):
    """Letters that staff print together, in the order of their sheets."""

    kind = CharField(default="")  # the one kind chosen; empty: of every kind
    opened_by = CharField()
    opened_at = UtcField(index=True)
    mailed_by = CharField(default="")
    mailed_on = DateField(null=True)  # the day they were taken to the post
    mailed_at = UtcField(null=True)
    closed_at = UtcField(null=True)  # nothing of it waits any more


class PrintRunLetter(Table):
    """A letter's place in a run; it is in one run at a time."""

    run = ForeignKeyField(PrintRun, on_delete="CASCADE", backref="letters")
    delivery = ForeignKeyField(Delivery, on_delete="CASCADE", index=False)
    place = IntegerField()  # 1 is on top of the pile
    sheets = IntegerField()  # of paper, printed on both sides
    tracking = CharField(default="")
    taken_out_at = UtcField(null=True)
    taken_out_for = CharField(default="")  # in words: why its paper must be pulled

    class Meta:
        indexes = ((("run", "place"), True),)


PrintRunLetter.add_index(
    PrintRunLetter.index(
        PrintRunLetter.delivery,
        unique=True,
        name="print_run_letter_once",
        where=SQL("taken_out_at IS NULL"),
    )
)


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    PAUSED = "paused"


class Circuit(Table):
    """Whether a carrier is called at all; one row for each channel and carrier."""

    channel = CharField()  # a ChannelName
    carrier = CharField()
    in_use = BooleanField(default=True)  # the settings name it
    state = word(CircuitState, default=CircuitState.CLOSED)
    since = UtcField()
    until = UtcField(null=True)  # when one delivery may try it, again
    troubled = BooleanField(default=False)  # it is not closed, or has failed of late
    failures = JsonField(default=list)  # [[delivery, time], …] since it last answered
    openings = IntegerField(default=0)  # in a row
    error_class = word(ErrorClass, null=True)
    why = TextField(default="")
    changed_by = CharField(default="")  # who paused it
    told_at = UtcField(null=True)  # staff were told of this opening, or need not be

    class Meta:
        indexes = ((("channel", "carrier"), True),)


class AlertKind(StrEnum):
    CARRIER = "carrier"
    DIGEST = "digest"


class StaffAlert(Table):
    """What staff were told of deliveries: a carrier not called, or what needs them."""

    kind = word(AlertKind)
    circuit = ForeignKeyField(Circuit, null=True, on_delete="RESTRICT")
    content = JsonField(default=dict)  # see pmp.deliveries.alerts; it names nobody
    made_at = UtcField()


class MailPassPhrase(Table):
    """What opens PDFs that are sent to an email address; shown once, kept sealed."""

    address = CharField(unique=True)  # in small letters
    sealed = BlobField()
    made_by = CharField()
    made_at = UtcField()


class WhatBecame(StrEnum):
    DESTROYED = "destroyed"
    RETURNED = "returned"
    KEPT = "kept"
    UNKNOWN = "unknown"


class Misdelivery(Table):
    """A message that reached somebody else: an incident for the privacy officer."""

    delivery = ForeignKeyField(Delivery, unique=True, on_delete="RESTRICT")
    told_by = CharField()  # who has it, and how to reach them
    became = word(WhatBecame)
    note = TextField(default="")
    address_barred = BooleanField(default=True)  # nothing more is sent there
    recorded_by = CharField()
    recorded_at = UtcField(index=True)
    assessment = TextField(default="")
    is_breach = BooleanField(null=True)  # decided when it is closed
    assessed_by = CharField(null=True)
    assessed_at = UtcField(null=True)


# --- Numbers and addresses of recipients


class HowConfirmed(StrEnum):
    TYPED = "typed"  # by the user, on their own page
    TOLD = "told"  # by telephone, and staff typed it
    FAXED_BACK = "faxed_back"
    LINK = "link"  # of an email


class ContactCheck(Table):
    """A code sent to a number or an address of somebody; given back, it proves it."""

    channel = word(ChannelName, without=(ChannelName.LETTER,))
    address = CharField(index=True)  # +1 number, or email address
    user = ForeignKeyField(User, null=True, on_delete="CASCADE")
    licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
    prescriber = ForeignKeyField(Prescriber, null=True, on_delete="RESTRICT")
    pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
    code = CharField()
    adopt = BooleanField(default=False)  # becomes the user's own once confirmed
    asked_by = CharField()
    asked_at = UtcField()
    expires_at = UtcField()
    wrong_tries = IntegerField(default=0)
    confirmed_at = UtcField(null=True)
    confirmed_how = word(HowConfirmed, null=True)
    confirmed_by = CharField(default="")
    ended_at = UtcField(null=True)  # replaced, given up, or its number was wrong

    class Meta:
        constraints = [
            Check(
                "(CASE WHEN user_id IS NULL THEN 0 ELSE 1 END)"
                " + (CASE WHEN licence_id IS NULL THEN 0 ELSE 1 END)"
                " + (CASE WHEN prescriber_id IS NULL THEN 0 ELSE 1 END)"
                " + (CASE WHEN pharmacy_id IS NULL THEN 0 ELSE 1 END) = 1"
            )
        ]


# Staff and the fax desk know a test page by its code alone.
ContactCheck.add_index(
    ContactCheck.index(
        ContactCheck.code,
        unique=True,
        name="contact_check_fax_code_once",
        where=SQL("channel = 'fax'"),
    )
)


class FaxNumber(Table):
    """What the program has learned of a fax number, whoever has it."""

    number = CharField(unique=True)  # +1 and ten digits
    station = CharField(default="")  # how the machine there last called itself
    station_at = UtcField(null=True)
    line_type = CharField(default="")  # of the carrier's register: mobile, landline, …
    line_asked_at = UtcField(null=True)
    hours = CharField(null=True)  # "8-12", when its owner may be faxed; else whenever
    blocked_at = UtcField(null=True)  # it is somebody else's: nothing goes there
    blocked_by = CharField(default="")
    blocked_why = TextField(default="")


class StationVerdict(StrEnum):
    RIGHT = "right"
    WRONG_NUMBER = "wrong_number"


class StationChange(Table):
    """Another machine than before answered at a number; staff say what it means."""

    number = ForeignKeyField(FaxNumber, on_delete="RESTRICT", backref="changes")
    before = CharField()
    after = CharField()
    delivery = ForeignKeyField(Delivery, on_delete="RESTRICT")
    noticed_at = UtcField()
    verdict = word(StationVerdict, null=True)
    settled_by = CharField(default="")
    settled_at = UtcField(null=True)


class TextNumber(Table):
    """A mobile number to which text messages go while its owner wants them."""

    number = CharField(unique=True)  # +1 and ten digits
    agreed_at = UtcField(null=True)
    agreed_by = CharField(default="")
    stopped_at = UtcField(null=True)  # STOP: nothing goes there until START
    stopped_how = CharField(default="")


class SettingChange(Table):
    """Settings that were changed on the page: what each was, and what it became.

    The value in force is the last one that names it; null is the environment's.
    """

    follows = IntegerField(unique=True)  # the change before it, 0: two at once cannot
    before = JsonField()  # {name: text or null}
    after = JsonField()
    reason = TextField()
    changed_by = CharField()
    changed_at = UtcField()
    undoes = ForeignKeyField("self", null=True, unique=True, on_delete="RESTRICT")


class ScheduledRun(Table):
    """A periodic job's claim on a period, so that it runs once on many hosts."""

    job = CharField()
    period = CharField()
    started_at = UtcField()
    more = IntegerField(null=True)  # how often again, where that is counted

    class Meta:
        indexes = ((("job", "period"), True),)


# --- Public pages and announcements


class PageText(Table):
    """A version of a public page's text; `is_own`: back to the program's own."""

    name = CharField()
    version = IntegerField()
    is_own = BooleanField()
    title = CharField(default="")
    summary = CharField(default="")
    body = TextField(default="")
    note = TextField()
    written_by = CharField()
    written_at = UtcField()

    class Meta:
        indexes = ((("name", "version"), True),)


class Announcement(Table):
    """What staff announce, from one day through another, to whom `audiences` names."""

    title = CharField()
    body = TextField()
    audiences = JsonField()
    is_grave = BooleanField()
    starts_on = DateField()
    ends_on = DateField(index=True)
    fax_line = CharField(default="")
    version = IntegerField(default=1)
    written_by = CharField()
    written_at = UtcField()
    withdrawn_by = CharField(default="")
    withdrawn_at = UtcField(null=True)


class DismissedAnnouncement(Table):
    """An announcement that a user has read; a changed one has another version."""

    announcement = ForeignKeyField(Announcement, on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="CASCADE")
    version = IntegerField()
    dismissed_at = UtcField()

    class Meta:
        indexes = ((("announcement", "user"), True),)


# --- Audit


class AuditEvent(Table):
    """Who did what to what, when and why; each row's hash holds the one before it."""

    at = UtcField(index=True)
    event = CharField(index=True)
    actor = CharField(index=True)
    subject = CharField(index=True)
    address = CharField(default="")
    detail = JsonField(default=dict)
    previous_hash = CharField(max_length=64)
    hash = CharField(max_length=64, unique=True)


class AuditHead(Table):
    """Where the chain ends, sealed with the secret key: a cut-off tail is found."""

    last_id = IntegerField()
    last_hash = CharField(max_length=64)
    seal = CharField(max_length=64)


TABLES: tuple[type[Table], ...] = (
    RosterImport,
    Licence,
    Pharmacy,
    Prescriber,
    RosterChange,
    RosterProblem,
    RosterUploadPart,
    User,
    Delegation,
    LicenceFinding,
    CoveredPharmacy,
    Session,
    Credential,
    RoleChange,
    NewAccount,
    SignInAttempt,
    AuthenticatorApp,
    RecoveryCode,
    Passkey,
    FactorRemoval,
    ForgottenPassword,
    KeptForm,
    AccountNotice,
    Document,
    Application,
    ApplicationDraft,
    DeskHold,
    InboundFax,
    FaxSheet,
    Product,
    ProductChange,
    Patient,
    ReportedIdentity,
    MatchReview,
    MatchDecision,
    DecidedIdentity,
    Submission,
    Dispensation,
    DispensationVersion,
    SubmissionRecord,
    SubmissionProblem,
    ZeroReport,
    WaitingVoid,
    EntryDraft,
    CsvFile,
    CsvLayout,
    ReportedDay,
    ReportingSchedule,
    ClosedDay,
    ReportingExemption,
    ReportingNotice,
    ReportingNote,
    LookUp,
    UnusualLookUp,
    UnusualLookUpMessage,
    ProtectedPerson,
    PatientSchedule,
    ScheduledPatient,
    Disclosure,
    PatientRequest,
    PartDenial,
    DenialReview,
    LetterMailing,
    OfficialRequest,
    OfficialRequestPatient,
    ReportSeen,
    ReportCopy,
    ThresholdRule,
    ThresholdCase,
    CaseEntry,
    CaseRecipient,
    ThresholdReportCopy,
    RecipientReply,
    FaxedReply,
    CareNote,
    Ticket,
    TicketMessage,
    TicketAttachment,
    TicketOverdue,
    TicketTaker,
    EvidencePack,
    TicketIdentity,
    OutsideReporter,
    TicketQuestion,
    LookUpCorrection,
    CorrectionNotice,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    MailProblem,
    MailCertificate,
    Circuit,
    StaffAlert,
    PrintRun,
    PrintRunLetter,
    MailPassPhrase,
    Misdelivery,
    ContactCheck,
    FaxNumber,
    StationChange,
    TextNumber,
    SettingChange,
    ScheduledRun,
    PageText,
    Announcement,
    DismissedAnnouncement,
    AuditEvent,
    AuditHead,
)
