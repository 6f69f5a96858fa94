"""Products that staff add or change, fills for administrators alone."""

from peewee import CharField, DateTimeField, IntegerField, JSONField, Model, TextField


def up(migrator, db):
    class ProductChange(Model):
        ndc = CharField(max_length=12, index=True)
        before = JSONField(null=True)
        after = JSONField()
        reason = TextField()
        changed_by = CharField()
        changed_at = DateTimeField(index=True)
        filled = IntegerField(default=0)
        undone_by = CharField(default="")
        undone_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False

    db.create_tables([ProductChange])
    db.execute_sql('ALTER TABLE "product" DROP COLUMN "reportable"')
    db.execute_sql('ALTER TABLE "dispensation" ADD COLUMN "withheld" VARCHAR(32)')
    db.execute_sql(
        'CREATE INDEX "dispensation_unknown_product"'
        ' ON "dispensation" ("product_code", "stored_at")'
        " WHERE ingredient = '' AND product_qualifier = '01'"
    )
    db.execute_sql(
        'CREATE INDEX "dispensation_withheld" ON "dispensation" ("patient_id")'
        " WHERE withheld IS NOT NULL"
    )
