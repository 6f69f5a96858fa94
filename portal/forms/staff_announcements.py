"""An announcement as staff type it."""

from wtforms import (
    BooleanField,
    HiddenField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length

from models import Announcement
from pmp import announcements
from pmp.announcement_lists import Standing, Wanted
from pmp.announcements import Terms
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm, menu_of, one_of

AUDIENCES = [
    SelectChoice(each.value, words)
    for each, words in announcements.READER_WORDS.items()
]


class AnnouncementFilterForm(FilterForm):
    text = StringField(
        "Find", description="In title or text", validators=[Length(max=100)]
    )
    state = menu_of("State", Standing)

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            text=self.text.data or "",
            state=one_of(Standing, self.state.data),
            sort=sort,
        )


class AnnouncementForm(Form):
    """`version` is the one that was seen; `seen` says what has been reviewed."""

    title = StringField(
        "Title", validators=[InputRequired("Write a title: what it is about")]
    )
    body = TextAreaField(
        "Text",
        description=(
            "A few short sentences. **bold**, lists that begin with -, and"
            " [words](address) for a link."
        ),
        validators=[InputRequired("Write the text")],
    )
    audiences = SelectMultipleField("Who sees it", choices=AUDIENCES)
    is_grave = BooleanField("It is grave: show it first, marked as important")
    starts_on = UsDateField(
        "First day",
        description="Today, or a day to come",
        validators=[InputRequired("Write the first day, as 04/28/2026")],
    )
    ends_on = UsDateField(
        "Last day",
        description="After it nobody sees it",
        validators=[InputRequired("Write the last day, as 04/28/2026")],
    )
    fax_line = StringField(
        "Line on fax cover sheets",
        description=(
            f"At most {announcements.LONGEST_FAX_LINE} characters; nothing about a"
            " patient. Threshold reports have a cover sheet of their own, without it."
        ),
    )
    version = HiddenField()
    seen = HiddenField()

    def terms(self) -> Terms:
        """Give what was typed; only of a form that is valid."""
        assert self.starts_on.data  # noqa: S101 - InputRequired
        assert self.ends_on.data  # noqa: S101
        return Terms(
            title=self.title.data or "",
            body=_lines(self.body.data),
            audiences=tuple(self.audiences.data or ()),
            is_grave=bool(self.is_grave.data),
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            fax_line=self.fax_line.data or "",
        )

    def offer(self, announcement: Announcement) -> None:
        """Fill in what it says now."""
        for name in ("title", "body", "audiences", "is_grave", "starts_on", "ends_on"):
            self[name].data = getattr(announcement, name)
        self.fax_line.data = announcement.fax_line
        self.version.data = str(announcement.version)


def _lines(text: str | None) -> str:
    """Give text with plain line ends: browsers send both characters."""
    return "\n".join((text or "").splitlines())
