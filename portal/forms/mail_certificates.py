"""A certificate for sealed email, as a file."""

from flask_wtf.file import FileField
from wtforms import StringField, ValidationError
from wtforms.validators import InputRequired, Length

from pmp.deliveries.certificate_checks import LARGEST
from pmp.deliveries.certificate_lists import STANDING_WORDS, Standing, Wanted
from portal.forms import Form
from portal.forms.filters import FilterForm, menu_of, one_of


class CertificatesForm(FilterForm):
    """Which certificates to list."""

    text = StringField(
        "Find", description="Address or name", validators=[Length(max=100)]
    )
    standing = menu_of("Good until", Standing, STANDING_WORDS)

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            text=self.text.data or "",
            standing=one_of(Standing, self.standing.data),
            sort=sort,
        )


class OwnCertificateForm(Form):
    certificate = FileField(
        "Certificate",
        description="A .cer, .crt, .pem or .p7b file without its private key.",
    )

    def validate_certificate(self, field: FileField) -> None:
        # Text under the name of the file is no file.
        if not getattr(field.data, "filename", ""):
            raise ValidationError("Choose the file of your certificate")

    def content(self) -> bytes:
        """Give what is in the file, and one byte more than may be at most."""
        content: bytes = self.certificate.data.read(LARGEST + 1)
        return content


class CertificateForm(OwnCertificateForm):
    address = StringField(
        "Email address",
        description="As the Department's list of licences has it.",
        validators=[
            InputRequired("Enter the email address that it is for"),
            Length(max=254),
        ],
    )
