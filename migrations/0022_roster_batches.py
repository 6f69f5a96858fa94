"""Roster imports as batches: previewed, applied, undone; licences re-verified."""

from peewee import (
    SQL,
    BlobField,
    BooleanField,
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
)

KINDS = "licences|contacts|nppes"
SOURCES = "upload|folder|command"
STATES = "waiting|reading|ready|failed|discarded|applying|applied|undoing|undone"
WHATS = "new|changed|gone"
TARGETS = "licence|prescriber|pharmacy"
FINDINGS = "gone|lapsed|in_force_again|renamed|moved"
VERDICTS = "suspended|kept|reinstated|noted|overtaken"
OLD = ("filename", "sha256", "applied_by", "applied_at", "new", "changed", "gone")


def up(migrator, db):
    _imports_anew(db)
    db.execute_sql('ALTER TABLE "licence" ADD COLUMN "nppes_fax" VARCHAR(255)')
    _create_tables(db)


def _word(name, words, **options):
    allowed = ", ".join(f"'{word}'" for word in words.split("|"))
    check = Check(f'"{name}" IN ({allowed})')
    return CharField(max_length=32, constraints=[check], **options)


def _imports_anew(db):
    """Give imports their new columns; those that there are were applied at a command.

    On Postgres the table keeps its place, since licences name its rows.
    """
    if not isinstance(db, SqliteDatabase):
        _imports_on_postgres(db)
        return

    class RosterImport(Model):
        filename = CharField()
        sha256 = CharField(max_length=64)
        applied_by = CharField()
        applied_at = DateTimeField(null=True)
        new = IntegerField()
        changed = IntegerField()
        gone = IntegerField()
        invalid = IntegerField()
        kind = _word("kind", KINDS)
        source = _word("source", SOURCES)
        state = _word("state", STATES)
        asked_by = CharField()
        asked_at = DateTimeField()
        roster_version = IntegerField()
        rows_read = IntegerField()
        unchanged = IntegerField()
        skipped = IntegerField()
        error = TextField()
        worker = CharField(null=True)
        worker_until = DateTimeField(null=True)
        turn = CharField(null=True)
        undone_by = CharField()
        undone_at = DateTimeField(null=True)
        undo_reason = TextField()

        class Meta:
            database = db
            table_name = "roster_import_anew"

    db.create_tables([RosterImport], safe=False)
    old = ", ".join(f'"{name}"' for name in ("id", *OLD, "invalid"))
    db.execute_sql(
        f'INSERT INTO "roster_import_anew" ({old}, kind, source, state, asked_by,'  # noqa: S608
        " asked_at, roster_version, rows_read, unchanged, skipped, error, undone_by,"
        f" undo_reason) SELECT {old}, 'licences', 'command', 'applied', applied_by,"
        " applied_at, 0, 0, 0, 0, '', '', '' FROM \"roster_import\""
    )
    db.execute_sql('DROP TABLE "roster_import"')
    db.execute_sql('ALTER TABLE "roster_import_anew" RENAME TO "roster_import"')
    _index_imports(db)


def _imports_on_postgres(db):
    def allowed(words):
        return ", ".join(f"'{word}'" for word in words.split("|"))

    given = {
        "kind": (
            f"VARCHAR(32) NOT NULL CHECK (kind IN ({allowed(KINDS)}))",
            "licences",
        ),
        "source": (
            f"VARCHAR(32) NOT NULL CHECK (source IN ({allowed(SOURCES)}))",
            "command",
        ),
        "state": (
            f"VARCHAR(32) NOT NULL CHECK (state IN ({allowed(STATES)}))",
            "applied",
        ),
        "asked_by": ("VARCHAR(255) NOT NULL", ""),
        "asked_at": ("TIMESTAMP NOT NULL", "2000-01-01"),
        "roster_version": ("INTEGER NOT NULL", 0),
        "rows_read": ("INTEGER NOT NULL", 0),
        "unchanged": ("INTEGER NOT NULL", 0),
        "skipped": ("INTEGER NOT NULL", 0),
        "error": ("TEXT NOT NULL", ""),
        "worker": ("VARCHAR(255)", None),
        "worker_until": ("TIMESTAMP", None),
        "turn": ("VARCHAR(255)", None),
        "undone_by": ("VARCHAR(255) NOT NULL", ""),
        "undone_at": ("TIMESTAMP", None),
        "undo_reason": ("TEXT NOT NULL", ""),
    }
    table = 'ALTER TABLE "roster_import"'
    for name, (kind, value) in given.items():
        default = "" if value is None else f" DEFAULT '{value}'"
        db.execute_sql(f'{table} ADD COLUMN "{name}" {kind}{default}')
        if default:
            db.execute_sql(f'{table} ALTER COLUMN "{name}" DROP DEFAULT')
    db.execute_sql(
        'ALTER TABLE "roster_import" ALTER COLUMN "applied_at" DROP NOT NULL'
    )
    db.execute_sql(
        'UPDATE "roster_import" SET asked_by = applied_by, asked_at = applied_at'
    )
    _index_imports(db)


def _index_imports(db):
    db.execute_sql(
        'CREATE UNIQUE INDEX "roster_import_turn" ON "roster_import" ("turn")'
    )
    db.execute_sql('CREATE INDEX "roster_import_state" ON "roster_import" ("state")')


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class RosterImport(Table):
        pass

    class User(Table):
        pass

    class RosterChange(Table):
        batch = ForeignKeyField(RosterImport, on_delete="CASCADE", index=False)
        row = IntegerField(null=True)
        what = _word("what", WHATS)
        target = _word("target", TARGETS)
        target_id = IntegerField(null=True)
        key = CharField()
        label = CharField()
        before = JSONField()
        after = JSONField()
        done = BooleanField()

        class Meta:
            indexes = (
                (("batch", "what", "id"), False),
                (("batch", "done", "id"), False),
                (("target", "target_id"), False),
            )

    class RosterProblem(Table):
        batch = ForeignKeyField(RosterImport, on_delete="CASCADE")
        row = IntegerField()
        column = CharField()
        value = CharField()
        message = TextField()

    class RosterUploadPart(Table):
        batch = ForeignKeyField(RosterImport, on_delete="CASCADE", index=False)
        number = IntegerField()
        sealed = BlobField()

        class Meta:
            indexes = ((("batch", "number"), True),)

    class LicenceFinding(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        batch = ForeignKeyField(RosterImport, on_delete="RESTRICT")
        kind = _word("kind", FINDINGS)
        before = TextField()
        after = TextField()
        found_at = DateTimeField()
        verdict = _word("verdict", VERDICTS, null=True)
        reason = TextField()
        settled_by = CharField()
        settled_at = DateTimeField(null=True)

    LicenceFinding.add_index(
        LicenceFinding.index(
            LicenceFinding.user,
            LicenceFinding.kind,
            unique=True,
            name="licence_finding_open_once",
            where=SQL("settled_at IS NULL"),
        )
    )
    db.create_tables([RosterChange, RosterProblem, RosterUploadPart, LicenceFinding])
