"""One index holds all that a search compares of the people born on a day."""

OLD = "reported_identity_birth_date_last_key"
NEW = "reported_identity_birth_date_last_key_first_key_last_nam_c8c2161"


def up(migrator, db):
    db.execute_sql(
        f'CREATE INDEX "{NEW}" ON "reported_identity"'
        ' ("birth_date", "last_key", "first_key", "last_name", "first_name", "zip",'
        ' "id")'
    )
    db.execute_sql(f'DROP INDEX "{OLD}"')
