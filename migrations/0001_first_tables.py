"""The first tables: roster, people, submissions, patients, cases, tickets, outbox."""

from peewee import (
    SQL,
    AutoField,
    BlobField,
    BooleanField,
    CharField,
    Check,
    DateField,
    DateTimeField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
)


def word(words, **options):
    constraints = options.pop("constraints", [])
    column = CharField(max_length=32, constraints=constraints, **options)
    column.words = words.split("|")
    return column


def amount(**options):
    return DecimalField(max_digits=14, decimal_places=3, **options)


UtcField = DateTimeField
JsonField = JSONField


def up(migrator, db):
    class Table(Model):
        id = AutoField()

        class Meta:
            database = db
            legacy_table_names = False

    class RosterImport(Table):
        filename = CharField()
        sha256 = CharField(max_length=64)
        applied_by = CharField()
        applied_at = UtcField()
        new = IntegerField(default=0)
        changed = IntegerField(default=0)
        gone = IntegerField(default=0)
        invalid = IntegerField(default=0)

    class Licence(Table):
        credential_id = CharField(unique=True)
        code = CharField(index=True)
        profession = word("practitioner|pharmacy")
        name = CharField()
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
        preferred_channel = word("email|fax|letter", null=True)
        last_import = ForeignKeyField(RosterImport, null=True, on_delete="RESTRICT")

    class Pharmacy(Table):
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

    class Prescriber(Table):
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
            indexes = ((("dea", "dea_suffix"), True),)

    class User(Table):
        username = CharField(unique=True)
        role = word("practitioner|pharmacy|staff|analyst|administrator|auditor")
        status = word("awaiting_first_sign_in|active|suspended|closed")
        name = CharField()
        email = CharField(null=True)
        phone = CharField(null=True)
        fax = CharField(null=True)
        preferred_channel = word("email|fax|letter", null=True)
        password_hash = CharField(null=True)
        failed_sign_ins = IntegerField(default=0)
        locked_until = UtcField(null=True)
        created_at = UtcField()
        last_sign_in_at = UtcField(null=True)
        password_set_at = UtcField(null=True)
        licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
        prescriber = ForeignKeyField(Prescriber, null=True, on_delete="RESTRICT")
        pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")

    User.add_index(
        User.index(
            User.licence,
            unique=True,
            name="user_of_licence_once",
            where=SQL("status <> 'closed'"),
        )
    )

    class CoveredPharmacy(Table):
        user = ForeignKeyField(User, on_delete="CASCADE", backref="covered_pharmacies")
        licence = ForeignKeyField(Licence, on_delete="RESTRICT")
        granted_by = CharField()
        granted_at = UtcField()

        class Meta:
            indexes = ((("user", "licence"), True),)

    class Session(Table):
        token_sha256 = CharField(max_length=64, unique=True)
        user = ForeignKeyField(User, on_delete="CASCADE", backref="sessions")
        created_at = UtcField()
        seen_at = UtcField()
        ended_at = UtcField(null=True)
        address = CharField(default="")
        browser = CharField(default="")

    class Credential(Table):
        user = ForeignKeyField(User, on_delete="CASCADE", backref="credentials")
        secret_hash = CharField()
        issued_at = UtcField()
        expires_at = UtcField()
        used_at = UtcField(null=True)
        revoked_at = UtcField(null=True)

    class SignInAttempt(Table):
        address = CharField(index=True)
        username = CharField(default="")
        at = UtcField(index=True)

    class Document(Table):
        kind = word(
            "submission|inbound_fax|credential_letter|threshold_report|correction_notice|notice|patient_report"
        )
        media_type = CharField()
        sha256 = CharField(max_length=64, index=True)
        size = IntegerField()
        sealed = BlobField(null=True)
        created_at = UtcField()
        purged_at = UtcField(null=True)

    class Application(Table):
        code = CharField(unique=True)
        profession = word("practitioner|pharmacy")
        status = word(
            "submitted|confirmation_received|returned|approved|credentials_mailed|active|rejected|expired",
            index=True,
        )
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
        preferred_channel = word("email|fax|letter", null=True)
        attested_at = UtcField()
        submitted_at = UtcField()
        confirmation_received_at = UtcField(null=True)
        decided_at = UtcField(null=True)
        decided_by = CharField(default="")
        reason = TextField(default="")
        override_reason = TextField(default="")
        licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
        user = ForeignKeyField(User, null=True, on_delete="RESTRICT")

    class InboundFax(Table):
        received_at = UtcField()
        source = CharField()
        source_reference = CharField(unique=True)
        from_number = CharField(default="")
        station = CharField(default="")
        document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
        pages = IntegerField(default=0)
        status = word(
            "received|matched|unmatched|unreadable|filed|returned|dismissed", index=True
        )
        codes = JsonField(default=list)
        note = TextField(default="")
        application = ForeignKeyField(
            Application, null=True, on_delete="RESTRICT", backref="faxes"
        )
        handled_by = CharField(default="")
        handled_at = UtcField(null=True)

    class Product(Table):
        ndc = CharField(max_length=12, unique=True)
        name = CharField()
        ingredient = CharField()
        strength = DecimalField(max_digits=14, decimal_places=4, null=True)
        strength_unit = CharField(default="")
        form = CharField(default="")
        route = CharField(default="")
        schedule = CharField(default="")
        drug_class = word(
            "opioid|buprenorphine|benzodiazepine|sedative|stimulant|gabapentinoid|other"
        )
        long_acting = BooleanField(default=False)
        mme_key = CharField(default="")
        acetaminophen_mg = DecimalField(max_digits=10, decimal_places=2, null=True)
        reportable = BooleanField(default=True)
        source = CharField(default="seed")

    class Patient(Table):
        created_at = UtcField()

    class ReportedIdentity(Table):
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
        species = word("human|animal", default="human")
        animal_name = CharField(default="")
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
                (("birth_date", "last_key"), False),
                (("last_sound", "birth_date"), False),
                (("phone",), False),
                (("zip", "last_sound"), False),
            )

    class MatchReview(Table):
        identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")
        candidate = ForeignKeyField(Patient, on_delete="RESTRICT")
        score = DecimalField(max_digits=8, decimal_places=2)
        evidence = JsonField(default=dict)
        status = word("open|joined|kept_apart", default="open", index=True)
        opened_at = UtcField()
        decided_by = CharField(default="")
        decided_at = UtcField(null=True)

        class Meta:
            indexes = ((("identity", "candidate"), True),)

    class Submission(Table):
        filename = CharField()
        sha256 = CharField(max_length=64, index=True)
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        submitted_by = ForeignKeyField(User, on_delete="RESTRICT")
        received_at = UtcField()
        status = word(
            "received|reading|failed_structure|processed|processed_with_errors|resolved|withdrawn",
            index=True,
        )
        dry_run = BooleanField(default=False)
        test = BooleanField(default=False)
        version = CharField(default="")
        pharmacies = JsonField(default=list)
        progress = IntegerField(default=0)
        records = IntegerField(default=0)
        stored = IntegerField(default=0)
        stored_with_warning = IntegerField(default=0)
        revised = IntegerField(default=0)
        held = IntegerField(default=0)
        duplicate = IntegerField(default=0)
        voided = IntegerField(default=0)
        void_not_found = IntegerField(default=0)
        not_reportable = IntegerField(default=0)
        zero_reports = IntegerField(default=0)
        finished_at = UtcField(null=True)

    class Dispensation(Table):
        row_code = CharField(max_length=12, unique=True)
        patient = ForeignKeyField(Patient, on_delete="RESTRICT", index=False)
        identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")
        pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
        prescriber = ForeignKeyField(Prescriber, on_delete="RESTRICT")
        submission = ForeignKeyField(Submission, null=True, on_delete="RESTRICT")
        record_number = IntegerField(default=0)
        segment_number = IntegerField(default=0)
        status = word("current|voided", default="current")
        version = IntegerField(default=1)
        corrected = BooleanField(default=False)
        prescription_number = CharField(max_length=25)
        filled_on = DateField()
        fill_number = IntegerField()
        partial = IntegerField(default=0)
        product_qualifier = CharField(max_length=2, default="01")
        product_code = CharField(max_length=15)
        written_on = DateField(null=True)
        sold_on = DateField(null=True)
        quantity = amount()
        days_supply = IntegerField()
        units = CharField(max_length=2, default="")
        refills_authorized = IntegerField(default=0)
        payment = CharField(max_length=2, default="")
        drug_name = CharField()
        ingredient = CharField(default="")
        strength = DecimalField(max_digits=14, decimal_places=4, null=True)
        strength_unit = CharField(default="")
        form = CharField(default="")
        schedule = CharField(default="")
        drug_class = word(
            "opioid|buprenorphine|benzodiazepine|sedative|stimulant|gabapentinoid|other",
            default="other",
        )
        long_acting = BooleanField(default=False)
        mme_key = CharField(default="")
        acetaminophen_mg = DecimalField(max_digits=10, decimal_places=2, null=True)
        stored_at = UtcField()

        class Meta:
            # Once each, among those that stand: a void makes room for its replacement.
            indexes = ((("patient", "filled_on", "prescriber", "pharmacy"), False),)

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

    class DispensationVersion(Table):
        dispensation = ForeignKeyField(
            Dispensation, on_delete="RESTRICT", backref="versions"
        )
        version = IntegerField()
        content = JsonField()
        changed_by = CharField()
        changed_at = UtcField()
        reason = TextField()
        submission = ForeignKeyField(Submission, null=True, on_delete="RESTRICT")

        class Meta:
            indexes = ((("dispensation", "version"), True),)

    class SubmissionRecord(Table):
        submission = ForeignKeyField(
            Submission, on_delete="CASCADE", backref="submission_records", index=False
        )
        number = IntegerField()
        segment_number = IntegerField()
        status = word(
            "stored|stored_with_warning|held|duplicate|revised|voided|void_not_found|not_reportable|zero_report|corrected"
        )
        prescription_number = CharField(default="")
        pharmacy_name = CharField(default="")
        elements = JsonField(default=dict)
        dispensation = ForeignKeyField(Dispensation, null=True, on_delete="SET NULL")
        corrected_by = CharField(default="")
        corrected_at = UtcField(null=True)

        class Meta:
            indexes = ((("submission", "number"), True),)

    class SubmissionProblem(Table):
        submission = ForeignKeyField(
            Submission, on_delete="CASCADE", backref="problems", index=False
        )
        record_number = IntegerField(null=True)
        code = CharField(max_length=8)
        severity = word("fatal|error|warning")
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
        pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT")
        first_day = DateField()
        last_day = DateField()
        submission = ForeignKeyField(Submission, null=True, on_delete="RESTRICT")
        reported_by = CharField()
        reported_at = UtcField()

        class Meta:
            indexes = ((("pharmacy", "first_day", "last_day"), True),)

    class LookUp(Table):
        user = ForeignKeyField(User, on_delete="RESTRICT")
        at = UtcField(index=True)
        first_name = CharField()
        last_name = CharField()
        birth_date = DateField(null=True)
        similar = BooleanField(default=False)
        purpose = word("treating|dispensing|reviewing_own|oversight")
        since = DateField()
        until = DateField()
        address = CharField(default="")
        outcome = word("asked|report|candidates|none|refused", default="asked")
        candidates = JsonField(default=list)
        patient = ForeignKeyField(Patient, null=True, on_delete="RESTRICT")
        entries = IntegerField(default=0)
        token_sha256 = CharField(max_length=64, null=True, unique=True)
        token_until = UtcField(null=True)

    class Disclosure(Table):
        patient = ForeignKeyField(Patient, on_delete="RESTRICT")
        at = UtcField()
        recipient = CharField()
        address = CharField(default="")
        what = CharField()
        purpose = CharField()
        look_up = ForeignKeyField(LookUp, null=True, on_delete="RESTRICT")

    class ThresholdRule(Table):
        name = CharField()
        version = IntegerField(default=1)
        status = word("active|silent|off", default="active")
        prescribers = IntegerField(constraints=[Check("prescribers >= 1")])
        pharmacies = IntegerField(constraints=[Check("pharmacies >= 1")])
        connective = word("and|or", default="and")
        window_days = IntegerField(constraints=[Check("window_days BETWEEN 1 AND 731")])
        schedules = JsonField(default=list)
        reason = TextField(default="")
        written_by = CharField()
        written_at = UtcField()

        class Meta:
            indexes = ((("name", "version"), True),)

    class ThresholdCase(Table):
        rule = ForeignKeyField(ThresholdRule, on_delete="RESTRICT")
        patient = ForeignKeyField(Patient, on_delete="RESTRICT")
        crossed_on = DateField()
        window_first = DateField()
        window_last = DateField()
        prescribers = IntegerField()
        pharmacies = IntegerField()
        status = word(
            "detected|held_for_review|queued|sent|answered|closed|withdrawn",
            default="detected",
            index=True,
        )
        detected_at = UtcField()
        closed_at = UtcField(null=True)
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
        case = ForeignKeyField(ThresholdCase, on_delete="CASCADE", backref="entries")
        dispensation = ForeignKeyField(Dispensation, on_delete="RESTRICT")
        version = IntegerField(default=1)

        class Meta:
            indexes = ((("case", "dispensation"), True),)

    class CaseRecipient(Table):
        case = ForeignKeyField(ThresholdCase, on_delete="CASCADE", backref="recipients")
        prescriber = ForeignKeyField(Prescriber, null=True, on_delete="RESTRICT")
        pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        reply_code = CharField(unique=True)
        document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
        opened_at = UtcField(null=True)
        answer = word("my_patient|not_my_patient", null=True)
        answered_at = UtcField(null=True)
        note = TextField(default="")

        class Meta:
            constraints = [Check("(prescriber_id IS NULL) <> (pharmacy_id IS NULL)")]
            indexes = (
                (("case", "prescriber"), True),
                (("case", "pharmacy"), True),
            )

    class Ticket(Table):
        number = CharField(unique=True)
        dispensation = ForeignKeyField(
            Dispensation, on_delete="RESTRICT", backref="tickets"
        )
        case = ForeignKeyField(ThresholdCase, null=True, on_delete="RESTRICT")
        opened_by = ForeignKeyField(User, on_delete="RESTRICT")
        opened_at = UtcField()
        due_at = UtcField()
        problem = word(
            "not_my_patient|did_not_write|wrong_drug|wrong_quantity|wrong_date|returned_to_stock|wrong_person|other"
        )
        note = TextField(default="")
        status = word(
            "new|triaged|with_dispenser|answered|resolved|told|closed",
            default="new",
            index=True,
        )
        assigned_to = ForeignKeyField(User, null=True, on_delete="SET NULL")
        outcome = word("corrected|voided|upheld|identity_fixed|referred", null=True)
        outcome_note = TextField(default="")
        resolved_at = UtcField(null=True)
        resolved_by = CharField(default="")
        revision = IntegerField(default=1)

    Ticket.add_index(
        Ticket.index(
            Ticket.dispensation,
            Ticket.opened_by,
            unique=True,
            name="ticket_open_once",
            where=SQL("resolved_at IS NULL"),
        )
    )

    class TicketMessage(Table):
        ticket = ForeignKeyField(Ticket, on_delete="CASCADE", backref="messages")
        at = UtcField()
        by = CharField()
        text = TextField()

    class CorrectionNotice(Table):
        recipient = ForeignKeyField(CaseRecipient, on_delete="RESTRICT")
        dispensation = ForeignKeyField(Dispensation, on_delete="RESTRICT")
        version = IntegerField()
        outcome = word("corrected|voided|upheld|identity_fixed|referred")
        case_withdrawn = BooleanField()
        made_at = UtcField()
        opened_at = UtcField(null=True)
        document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")

        class Meta:
            indexes = ((("recipient", "dispensation", "version"), True),)

    class Delivery(Table):
        kind = word(
            "credential_letter|registration_notice|threshold_report|correction_notice|ticket_notice"
        )
        subject_id = IntegerField()
        channel = word("email|fax|letter")
        address = TextField()
        further_routes = JsonField(default=list)
        dedupe_key = CharField(unique=True)
        priority = IntegerField(default=5)
        state = word(
            "held|queued|sending|submitted|in_doubt|sent|delivered|printed|mailed|returned|failed|cancelled|expired",
            default="queued",
        )
        revision = IntegerField(default=0)
        attempts = IntegerField(default=0)
        due_at = UtcField()
        deadline_at = UtcField()
        lease_owner = CharField(null=True)
        lease_until = UtcField(null=True)
        possible_duplicate = BooleanField(default=False)
        needs_staff = BooleanField(default=False)
        document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
        error_class = word(
            "busy|no_answer|not_a_fax|line_dropped|rejected|document|carrier_down|throttled|configuration|in_doubt|unknown",
            null=True,
        )
        error_text = TextField(default="")
        parent = ForeignKeyField("self", null=True, on_delete="RESTRICT")
        created_at = UtcField()
        submitted_at = UtcField(null=True)
        final_at = UtcField(null=True)

        class Meta:
            indexes = ((("state", "due_at"), False), (("kind", "subject_id"), False))

    class DeliveryAttempt(Table):
        delivery = ForeignKeyField(
            Delivery, on_delete="CASCADE", backref="attempt_rows"
        )
        number = IntegerField()
        idempotency_key = CharField(unique=True)
        carrier = CharField(default="")
        carrier_reference = CharField(null=True)
        media_sha256 = CharField(max_length=64, null=True, unique=True)
        media_until = UtcField(null=True)
        media_fetched_at = UtcField(null=True)
        started_at = UtcField()
        ended_at = UtcField(null=True)
        outcome = CharField(default="")
        error_class = word(
            "busy|no_answer|not_a_fax|line_dropped|rejected|document|carrier_down|throttled|configuration|in_doubt|unknown",
            null=True,
        )
        pages_sent = IntegerField(null=True)
        station = CharField(default="")

        class Meta:
            indexes = (
                (("delivery", "number"), True),
                (("carrier", "carrier_reference"), True),
            )

    class DeliveryEvent(Table):
        delivery = ForeignKeyField(Delivery, on_delete="CASCADE", backref="events")
        attempt = ForeignKeyField(DeliveryAttempt, null=True, on_delete="CASCADE")
        source = CharField()
        event_key = CharField(null=True, unique=True)
        from_state = CharField(default="")
        to_state = CharField(default="")
        note = TextField(default="")
        at = UtcField()

    class ScheduledRun(Table):
        job = CharField()
        period = CharField()
        started_at = UtcField()

        class Meta:
            indexes = ((("job", "period"), True),)

    class AuditEvent(Table):
        at = UtcField(index=True)
        event = CharField(index=True)
        actor = CharField(index=True)
        subject = CharField(index=True)
        address = CharField(default="")
        detail = JsonField(default=dict)
        previous_hash = CharField(max_length=64)
        hash = CharField(max_length=64, unique=True)

    class AuditHead(Table):
        last_id = IntegerField()
        last_hash = CharField(max_length=64)
        seal = CharField(max_length=64)

    tables = [
        RosterImport,
        Licence,
        Pharmacy,
        Prescriber,
        User,
        CoveredPharmacy,
        Session,
        Credential,
        SignInAttempt,
        Document,
        Application,
        InboundFax,
        Product,
        Patient,
        ReportedIdentity,
        MatchReview,
        Submission,
        Dispensation,
        DispensationVersion,
        SubmissionRecord,
        SubmissionProblem,
        ZeroReport,
        LookUp,
        Disclosure,
        ThresholdRule,
        ThresholdCase,
        CaseEntry,
        CaseRecipient,
        Ticket,
        TicketMessage,
        CorrectionNotice,
        Delivery,
        DeliveryAttempt,
        DeliveryEvent,
        ScheduledRun,
        AuditEvent,
        AuditHead,
    ]
    for table in tables:
        for column in table._meta.sorted_fields:
            if words := getattr(column, "words", None):
                allowed = ", ".join(f"'{word}'" for word in words)
                column.constraints.append(
                    Check(f'"{column.column_name}" IN ({allowed})')
                )
    db.create_tables(tables)
