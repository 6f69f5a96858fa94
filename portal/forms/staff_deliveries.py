"""What staff choose and say about deliveries."""

from wtforms import (
    BooleanField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length

from models import ChannelName, DeliveryState
from pmp.deliveries.delivery_desk import Wanted
from pmp.wording import words
from portal.forms import Form

EVERY = SelectChoice("", "All")


class FilterForm(Form):
    """Which deliveries to list; sent by GET."""

    class Meta(Form.Meta):
        csrf = False

    state = SelectField(
        "State",
        default="",
        validate_choice=False,
        choices=[EVERY, *(SelectChoice(each, words(each)) for each in DeliveryState)],
    )
    channel = SelectField(
        "Channel",
        default="",
        validate_choice=False,
        choices=[EVERY, *(SelectChoice(each, words(each)) for each in ChannelName)],
    )
    attention = BooleanField("Only those that need a person")

    def wanted(self) -> Wanted:
        """Give what to list; an answer that is none of the choices counts as all."""
        state, channel = self.state.data, self.channel.data
        return Wanted(
            state=DeliveryState(state) if state in set(DeliveryState) else None,
            channel=ChannelName(channel) if channel in set(ChannelName) else None,
            needs_staff=bool(self.attention.data),
        )


class CancelForm(Form):
    reason = StringField(
        "Why it is cancelled",
        validators=[InputRequired("Say why it is cancelled"), Length(max=200)],
    )
