"""What staff choose and say about accounts."""

from wtforms import (
    EmailField,
    HiddenField,
    RadioField,
    SelectChoice,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length

from models import Role, User, UserStatus
from pmp import sorting
from pmp.accounts import role_changes
from pmp.accounts.new_accounts import Person
from pmp.accounts.user_lists import SORTS, Standing, Wanted
from pmp.wording import words
from portal.forms import Form
from portal.forms.filters import FilterForm, menu, menu_of, one_of

LONGEST = 500


class UserFilterForm(FilterForm):
    text = StringField(
        "Find",
        description="Name, user name, email, licence or DEA number",
        validators=[Length(max=100)],
    )
    role = menu_of("Role", Role)
    state = menu(
        "State",
        [SelectChoice(each, words(each)) for each in (*UserStatus, *Standing)],
    )

    def wanted(self, sort: str = "") -> Wanted:
        """Give what to list; an answer that is none of the choices counts as all."""
        state = self.state.data
        return Wanted(
            text=self.text.data or "",
            role=one_of(Role, self.role.data),
            state=one_of(UserStatus, state) or one_of(Standing, state),
            sort=sorting.known(sort, SORTS, otherwise="user"),
        )


class ReasonForm(Form):
    """Why something is done about an account; `seen` is how it stood on the page."""

    reason = TextAreaField(
        "Why",
        description="Kept on the audit record; the user does not read it",
        validators=[InputRequired("Say why"), Length(max=LONGEST)],
    )
    seen = HiddenField()


class RoleForm(Form):
    role = RadioField(
        "Role", validators=[InputRequired("Choose the role that it shall have")]
    )
    reason = TextAreaField(
        "Why",
        description="Whoever confirms it reads this",
        validators=[InputRequired("Say why"), Length(max=LONGEST)],
    )
    seen = HiddenField()

    def offer(self, user: User) -> None:
        """Offer the roles that the account does not have."""
        self.role.choices = [
            SelectChoice(role, words(role))
            for role in role_changes.STAFF_ROLES
            if role != user.role
        ]


class NewAccountForm(Form):
    """Whom an account is for; a rule knows what each answer must be."""

    name = StringField(
        "Name",
        validators=[DataRequired("Write the name of the person"), Length(max=100)],
    )
    email = EmailField(
        "Work email",
        description="Where this person alone reads mail. The link that lets them in"
        " goes there",
        validators=[DataRequired("Write the person's work email"), Length(max=200)],
    )
    username = StringField(
        "User name",
        description="Made of the name if you leave it empty",
        validators=[Length(max=40)],
    )
    phone = TelField("Telephone", validators=[Length(max=30)])
    role = RadioField(
        "Role",
        choices=[SelectChoice(role, words(role)) for role in role_changes.STAFF_ROLES],
        validators=[InputRequired("Choose the role that it shall have")],
    )
    reason = TextAreaField(
        "Why",
        description="Whoever confirms it reads this",
        validators=[DataRequired("Say why"), Length(max=LONGEST)],
    )

    def person(self) -> Person:
        return Person(
            name=self.name.data or "",
            email=self.email.data or "",
            role=self.role.data or "",
            username=self.username.data or "",
            phone=self.phone.data or "",
        )


class DeclineForm(Form):
    reason = TextAreaField("Why it is declined", validators=[Length(max=LONGEST)])
