"""What staff choose and say about deliveries."""

import hashlib

from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from models import ChannelName, DeliveryKind, DeliveryState
from pmp import sorting
from pmp.deliveries import Route, delivery_batches, sealed_searches
from pmp.deliveries.delivery_lists import GROUPS, LATEST, SORTS, Wanted
from pmp.other_ways import Way, typed_fax
from pmp.wording import phone, words
from portal.forms import Form, UsDateField
from portal.forms.filters import SealedFilterForm, menu, menu_of, one_of
from portal.numbers import whole

ENDED = "ended"
ANOTHER = "number"


class DeliveryFilterForm(SealedFilterForm):
    """Which deliveries to list; the recipient may be a patient."""

    sealed = "recipient"

    state = menu(
        "State",
        [
            *(SelectChoice(each, f"{words(each)} (all)") for each in GROUPS),
            *(SelectChoice(each, words(each)) for each in DeliveryState),
        ],
    )
    channel = menu_of("Channel", ChannelName)
    kind = menu_of("What", DeliveryKind)
    recipient = StringField(
        "Recipient",
        description="Number, email or name",
        validators=[Length(max=sealed_searches.LONGEST)],
    )
    number = StringField("Delivery or carrier's number", validators=[Length(max=100)])
    dates = SelectField(
        "Day it was",
        default="",
        validate_choice=False,
        choices=[SelectChoice("", "Made"), SelectChoice(ENDED, "Ended")],
    )
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])
    attention = BooleanField("Only those that need a person")
    duplicate = BooleanField("Only possible duplicates")

    def validate_until(self, field: UsDateField) -> None:
        if self.since.data and field.data and field.data < self.since.data:
            raise ValidationError("The last day is before the first day.")

    def wanted(self, sort: str = "") -> Wanted:
        """Give what to list; an answer that is none of the choices counts as all."""
        state = self.state.data
        return Wanted(
            state=one_of(DeliveryState, state),
            group=state if state in GROUPS else "",
            channel=one_of(ChannelName, self.channel.data),
            kind=one_of(DeliveryKind, self.kind.data),
            needs_staff=bool(self.attention.data),
            duplicate=bool(self.duplicate.data),
            since=self.since.data,
            until=self.until.data,
            by_end=self.dates.data == ENDED,
            number=self.number.data or "",
            recipient=self.recipient.data or "",
            sort=sorting.known(sort, SORTS, otherwise=LATEST),
        )


class BatchForm(Form):
    """Which of the listed deliveries to do what to."""

    chosen = SelectMultipleField("Chosen", coerce=whole, validate_choice=False)
    action = SelectField(
        "With those that are ticked",
        choices=[
            SelectChoice(each, name) for each, name in delivery_batches.WORDS.items()
        ],
    )
    reason = StringField("Why they are cancelled", validators=[Length(max=180)])
    back = HiddenField()


class OtherWayForm(Form):
    """By which way a message goes instead."""

    way = RadioField(
        "Send it", validators=[InputRequired("Choose how to send it instead")]
    )
    number = StringField("Fax number", render_kw={"type": "tel"})
    again = StringField("The same number again", render_kw={"type": "tel"})
    seen = HiddenField()

    def offer(self, ways: list[Way], *, may_type: bool) -> None:
        """Offer the ways that can be chosen, and a number to type."""
        self.routes = {_digest(way.route): way.route for way in ways if not way.why_not}
        self.way.choices = [
            SelectChoice(key, route_words(route)) for key, route in self.routes.items()
        ]
        if may_type:
            self.way.choices.append(SelectChoice(ANOTHER, "By fax to another number"))

    def route(self) -> Route:
        """Give the way that was chosen; RuleError where the typed numbers differ."""
        if self.is_typed:
            return typed_fax(self.number.data or "", self.again.data or "")
        return self.routes[self.way.data]

    @property
    def is_typed(self) -> bool:
        return bool(self.way.data == ANOTHER)


def route_words(route: Route) -> str:
    """Write a way for people: By fax to (860) 555-0123."""
    if route.channel in {ChannelName.EMAIL, ChannelName.LETTER}:
        where = ", ".join(route.address.splitlines())
    else:
        where = phone(route.address)
    waits = ", held until a test page proves the number" if route.awaits else ""
    return f"By {words(route.channel).lower()} to {where}{waits}"


def _digest(route: Route) -> str:
    text = f"{route.channel}|{route.address}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class CancelForm(Form):
    reason = StringField(
        "Why it is cancelled",
        validators=[InputRequired("Say why it is cancelled"), Length(max=180)],
    )
    seen = HiddenField()
