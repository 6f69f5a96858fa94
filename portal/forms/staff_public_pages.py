"""A public page's text as an administrator types it."""

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from pmp.public_pages import Text
from portal.forms import Form


class PageTextForm(Form):
    """`version` is the one that was seen; `seen` says what has been reviewed."""

    title = StringField("Title")
    summary = StringField(
        "Line below the title", description="What it is about, or for whom"
    )
    body = TextAreaField("Text")
    note = StringField(
        "What changed, and why",
        description="For the history of this page: staff alone see it",
        validators=[Length(max=300)],
    )
    version = HiddenField()
    seen = HiddenField()

    def text(self) -> Text:
        """Give what was typed, with plain line ends: browsers send two characters."""
        lines = (self.body.data or "").splitlines()
        body = "\n".join(line.rstrip() for line in lines).strip()
        return Text(self.title.data or "", self.summary.data or "", body)

    def offer(self, text: Text, version: int) -> None:
        """Fill in what the page says now."""
        self.title.data, self.summary.data = text.title, text.summary
        self.body.data, self.version.data = text.body, str(version)
