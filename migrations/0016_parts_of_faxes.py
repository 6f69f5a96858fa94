"""Faxes that hold several forms, their pages one by one, papers that came by fax."""

from peewee import (
    BooleanField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
)

# Table → new columns that name a row of another, and which.
NEW_KEYS = {
    "inbound_fax": {"part_of_id": "inbound_fax", "same_as_id": "inbound_fax"},
    "ticket_attachment": {"fax_id": "inbound_fax"},
}
# Whose fax may this be? Asked of whom we faxed lately.
INDEXES = {
    "delivery": ("address", "created_at"),
    "delivery_attempt": ("station", "started_at"),
}


def up(migrator, db):
    change = _on_sqlite if isinstance(db, SqliteDatabase) else _on_postgres
    for table, keys in NEW_KEYS.items():
        change(db, table, keys)
        for column in keys:
            name = f"{table}_{column}"
            db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ("{column}")')
    for table, columns in INDEXES.items():
        name = "_".join((table, *columns))
        listed = ", ".join(f'"{column}"' for column in columns)
        db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ({listed})')
    _create_table(db)


def _on_postgres(db, table, keys):
    for column, other in keys.items():
        db.execute_sql(
            f'ALTER TABLE "{table}" ADD COLUMN "{column}" INTEGER'
            f' REFERENCES "{other}" ("id") ON DELETE RESTRICT'
        )


def _on_sqlite(db, table, keys):
    """Make the table anew: a key that SQLite adds stands elsewhere than one made so.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    names = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    parts = _parts(sql)
    columns = [part for part in parts if part.startswith('"')]
    changed = [
        *columns,
        *(f'"{column}" INTEGER' for column in keys),
        *parts[len(columns) :],
        *(
            f'FOREIGN KEY ("{column}") REFERENCES "{other}" ("id") ON DELETE RESTRICT'
            for column, other in keys.items()
        ),
    ]
    db.execute_sql(f'CREATE TABLE "{table}_anew" ({", ".join(changed)})')
    listed = ", ".join(f'"{name}"' for name in names)
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({listed}) SELECT {listed} FROM "{table}"'  # noqa: S608
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def _parts(sql):
    """Give the columns, keys and checks of CREATE TABLE, one by one."""
    parts, depth = [""], 0
    for sign in sql.partition("(")[2].rstrip().removesuffix(")"):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _create_table(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class InboundFax(Table):
        pass

    class FaxSheet(Table):
        fax = ForeignKeyField(InboundFax, on_delete="CASCADE", index=False)
        number = IntegerField()
        blank = BooleanField()
        codes = JSONField()
        look = TextField()

        class Meta:
            indexes = ((("fax", "number"), True),)

    db.create_tables([FaxSheet])
