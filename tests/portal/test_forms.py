"""What every form says when the library refuses what was typed."""

from flask import Flask
from wtforms import IntegerField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from portal.forms import Form


class Sample(Form):
    name = StringField("Name", validators=[Length(max=3)])
    days = IntegerField("Days")
    kind = RadioField("Kind", choices=[SelectChoice("a", "A")])
    owner = SelectField("Owner", coerce=int, choices=[SelectChoice(1, "One")])
    noise = StringField("Noise", validators=[Length(max=3)])


def test_a_refusal_says_what_to_do(app: Flask) -> None:
    typed = {"name": "long", "days": "ten", "kind": "b", "owner": "x", "noise": "abc"}
    with app.test_request_context("/", method="POST", data=typed):
        form = Sample(meta={"csrf": False})
        assert not form.validate()

    assert form.errors["name"] == ["Write at most 3 characters."]
    assert form.errors["days"] == ["Write a whole number in figures."]
    assert form.errors["kind"] == ["Choose one of those that are listed."]
    assert "Choose one of those that are listed." in form.errors["owner"]
    assert "noise" not in form.errors
