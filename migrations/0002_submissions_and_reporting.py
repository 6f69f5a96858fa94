"""Submissions by other ways, voids that wait, receipts, and who reports by when."""

import re

from peewee import (
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
    SqliteDatabase,
    TextField,
)

JSON = {"sqlite": "TEXT", "postgres": "JSONB"}
SOURCES = "upload|entry|csv|folder|command"
KINDS = "pharmacy|practitioner|veterinarian|out_of_state"
FREQUENCIES = "twice_monthly|monthly|weekly|daily"
NOTICES = "reminder|late|held_records"

# What someone types is the beginning of a name, in whatever case.
LOWERED = (
    ("product", "name"),
    ("product", "ingredient"),
    ("prescriber", "last_name"),
)

# Table → columns to add: name, type, what rows that are there have; None: nothing.
ADDED = {
    "pharmacy": [
        ("kind", KINDS, "'pharmacy'"),
        ("reports_since", "DATE", None),
        ("reported_through", "DATE", None),
    ],
    "user": [("receipts", "every|problems|none", "'every'")],
    "submission": [
        ("source", SOURCES, "'upload'"),
        ("bytes_read", "INTEGER", "0"),
        ("withdrawn", "INTEGER", "0"),
    ],
    "submission_record": [("corrections", JSON, "'{}'"), ("reason", "TEXT", "''")],
    "dispensation_version": [
        ("record_number", "INTEGER", "0"),
        ("segment_number", "INTEGER", "0"),
    ],
}
# Table → column → the words that it may hold from now on.
WIDENED = {
    "submission_record": {
        "status": (
            "stored|stored_with_warning|held|duplicate|revised|voided|void_not_found"
            "|not_reportable|zero_report|corrected|withdrawn"
        )
    },
    "delivery": {
        "kind": (
            "credential_letter|registration_notice|threshold_report|correction_notice"
            "|ticket_notice|submission_receipt|reporting_notice"
        )
    },
}
# Of the lists of submissions: index → columns.
INDEXES = {
    "submission_received_at": '"received_at"',
    "submission_source_received_at": '"source", "received_at"',
}


def up(migrator, db):
    change = _on_sqlite if isinstance(db, SqliteDatabase) else _on_postgres
    for table in dict.fromkeys([*ADDED, *WIDENED]):
        change(db, table, ADDED.get(table, []), WIDENED.get(table, {}))
    db.execute_sql(
        'CREATE INDEX "dispensation_pharmacy_id_filled_on"'
        ' ON "dispensation" ("pharmacy_id", "filled_on")'
    )
    db.execute_sql(
        'CREATE INDEX "dispensation_voided"'
        ' ON "dispensation" ("pharmacy_id", "prescription_number")'
        " WHERE status = 'voided'"
    )
    db.execute_sql('CREATE INDEX "licence_name" ON "licence" ("name")')
    db.execute_sql(
        'CREATE INDEX "prescriber_last_name_first_name"'
        ' ON "prescriber" ("last_name", "first_name")'
    )
    for name, columns in INDEXES.items():
        db.execute_sql(f'CREATE INDEX "{name}" ON "submission" ({columns})')
    for table, column in LOWERED:
        db.execute_sql(
            f'CREATE INDEX "{table}_{column}_lower" ON "{table}" (LOWER("{column}"))'
        )
    _wait_for_reports(db)
    _create_tables(db)


def _wait_for_reports(db):
    kind = "DATETIME" if isinstance(db, SqliteDatabase) else "TIMESTAMP"
    db.execute_sql(f'ALTER TABLE "submission" ADD COLUMN "report_written_at" {kind}')
    db.execute_sql(
        'CREATE INDEX "submission_report_waits" ON "submission" ("finished_at")'
        " WHERE source = 'folder' AND report_written_at IS NULL"
    )


def _allowed(name, words):
    allowed = ", ".join(f"'{word}'" for word in words.split("|"))
    return f'"{name}" IN ({allowed})'


def _check(name, words):
    return f"CHECK ({_allowed(name, words)})"


def _column(name, kind, value, engine):
    if isinstance(kind, dict):
        kind = kind[engine]
    if value is None:
        return f'"{name}" {kind}'
    if "|" in kind:
        return f'"{name}" VARCHAR(32) NOT NULL {_check(name, kind)}'
    return f'"{name}" {kind} NOT NULL'


def _on_postgres(db, table, added, widened):
    for name, words in widened.items():
        constraint = f"{table}_{name}_check"
        db.execute_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"')
        db.execute_sql(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{constraint}" {_check(name, words)}'
        )
    for name, kind, value in added:
        column = _column(name, kind, value, "postgres")
        column = column.replace("NOT NULL", f"NOT NULL DEFAULT {value}")
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN {column}')
        if value is not None:
            db.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{name}" DROP DEFAULT')


def _on_sqlite(db, table, added, widened):
    """Make the table anew: SQLite cannot change a CHECK, nor add NOT NULL alone.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    columns = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    for name, words in widened.items():
        sql, count = re.subn(
            rf'CHECK \("{name}" IN \([^)]*\)\)', _check(name, words), sql
        )
        if count != 1:
            raise ValueError(f"{table}.{name} has no CHECK")
    more = "".join(
        f", {_column(name, kind, value, 'sqlite')}" for name, kind, value in added
    )
    head, foreign, keys = sql.partition(", FOREIGN KEY")
    sql = head + more + foreign + keys if foreign else sql[:-1] + more + ")"
    sql, count = re.subn(
        rf'^CREATE TABLE "{table}"', f'CREATE TABLE "{table}_anew"', sql
    )
    if count != 1:
        raise ValueError(f"{table} was not made as expected")
    names = ", ".join(f'"{name}"' for name in columns)
    values = "".join(f", {value or 'NULL'}" for _, _, value in added)
    names_after = names + "".join(f', "{name}"' for name, _, _ in added)
    db.execute_sql(sql)
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({names_after})'  # noqa: S608
        f' SELECT {names}{values} FROM "{table}"'
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def word(name, words, **options):
    return CharField(
        max_length=32, constraints=[Check(_allowed(name, words))], **options
    )


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class Pharmacy(Table):
        pass

    class Document(Table):
        pass

    class Submission(Table):
        pass

    class WaitingVoid(Table):
        submission = ForeignKeyField(Submission, on_delete="CASCADE")
        record_number = IntegerField()
        pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
        prescription_number = CharField(max_length=25)
        filled_on = DateField()
        fill_number = IntegerField()
        partial = IntegerField()
        product_code = CharField(max_length=15)
        quantity = DecimalField(max_digits=14, decimal_places=3)
        written = CharField(max_length=14)
        waits_until = DateTimeField(index=True)
        applied_at = DateTimeField(null=True)

        class Meta:
            indexes = ((("pharmacy", "prescription_number"), False),)

    class EntryDraft(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        elements = JSONField(default=dict)
        updated_at = DateTimeField(index=True)

    class CsvFile(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        filename = CharField()
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        uploaded_at = DateTimeField(index=True)
        submission = ForeignKeyField(Submission, null=True, on_delete="SET NULL")
        note = TextField(default="")

    class CsvLayout(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        headings_sha256 = CharField(max_length=64)
        columns = JSONField(default=dict)
        fixed = JSONField(default=dict)
        updated_at = DateTimeField()

        class Meta:
            indexes = ((("user", "headings_sha256"), True),)

    class ReportedDay(Table):
        submission = ForeignKeyField(Submission, on_delete="CASCADE", index=False)
        pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
        day = DateField(null=True)
        received_at = DateTimeField()
        records = IntegerField(default=0)

        class Meta:
            indexes = (
                (("submission", "pharmacy", "day"), True),
                (("pharmacy", "received_at"), False),
            )

    class ReportingSchedule(Table):
        kind = word("kind", KINDS)
        frequency = word("frequency", FREQUENCIES)
        grace_days = IntegerField(constraints=[Check("grace_days BETWEEN 0 AND 31")])
        business_days = BooleanField(default=False)
        starts_on = DateField()
        reason = TextField(default="")
        written_by = CharField()
        written_at = DateTimeField()

        class Meta:
            indexes = ((("kind", "starts_on"), False),)

    class ClosedDay(Table):
        day = DateField(unique=True)
        name = CharField()

    class ReportingExemption(Table):
        pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT")
        first_day = DateField()
        last_day = DateField(null=True)
        reason = TextField()
        granted_by = CharField()
        granted_at = DateTimeField()

    either = "(pharmacy_id IS NULL) <> (submission_id IS NULL)"

    class ReportingNotice(Table):
        kind = word("kind", NOTICES)
        pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
        submission = ForeignKeyField(Submission, null=True, on_delete="CASCADE")
        first_day = DateField()
        last_day = DateField()
        due_on = DateField()
        number = IntegerField(default=1)
        reply_code = CharField(null=True, unique=True)
        made_by = CharField(default="system")
        made_at = DateTimeField()
        answered_at = DateTimeField(null=True, index=True)
        answered_by = CharField(default="")

        class Meta:
            constraints = [Check(either)]
            indexes = (
                (("pharmacy", "kind", "first_day", "number"), True),
                (("submission", "number"), True),
            )

    class ReportingNote(Table):
        pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
        submission = ForeignKeyField(Submission, null=True, on_delete="CASCADE")
        text = TextField()
        written_by = CharField()
        written_at = DateTimeField()

        class Meta:
            constraints = [Check(either)]

    db.create_tables(
        [
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
        ]
    )
    # What came before counts as reported, too.
    db.execute_sql(
        'INSERT INTO "reported_day" ("submission_id", "pharmacy_id", "day",'
        ' "received_at", "records")'
        ' SELECT s."id", d."pharmacy_id", d."filled_on", s."received_at", COUNT(*)'
        ' FROM "dispensation" d JOIN "submission" s ON s."id" = d."submission_id"'
        ' GROUP BY s."id", d."pharmacy_id", d."filled_on", s."received_at"'
    )
