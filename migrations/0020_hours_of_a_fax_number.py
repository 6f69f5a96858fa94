"""The hours in which a number may be faxed, where its owner chose some."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "fax_number" ADD COLUMN "hours" VARCHAR(255)')
