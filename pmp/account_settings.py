"""The settings of accounts: second factors, passwords, how accounts are kept in order.

Part of pmp.settings, which reads them. docs/settings.md lists each of them.
"""

from pydantic import BaseModel, Field, field_validator

from models import Role

STAFF_ROLES = frozenset(
    {Role.STAFF, Role.ANALYST, Role.ADMINISTRATOR, Role.AUDITOR},
)
GROUPS = {
    "nobody": frozenset[Role](),
    "staff": STAFF_ROLES,
    "everyone": frozenset(Role),
}


class AccountSettings(BaseModel):
    """Who proves what at sign-in, and how often. `Settings` extends it."""

    second_factor: str = "nobody"
    password_min_length_with_factor: int = Field(default=8, ge=8, le=64)
    password_kinds: int = Field(default=0, ge=0, le=4)
    password_days: int = Field(default=0, ge=0, le=3660)
    password_link_hours: int = Field(default=24, ge=1, le=24)
    attestation_days: int = Field(default=365, ge=0, le=3660)
    inactive_days: int = Field(default=0, ge=0, le=3660)
    inactive_notice_days: int = Field(default=30, ge=7, le=90)
    delegates: bool = False
    delegate_review_days: int = Field(default=91, ge=30, le=366)
    delegate_notice_days: int = Field(default=14, ge=1, le=29)
    licence_grace_days: int = Field(default=7, ge=0, le=90)
    licence_notice_days: int = Field(default=30, ge=0, le=180)
    sign_in_notices: bool = True

    @field_validator("second_factor")
    @classmethod
    def _known_roles(cls, text: str) -> str:
        roles_named(text)
        return text

    @property
    def access_rule(self) -> str:
        """Who may use an account, in a sentence."""
        if self.delegates:
            return (
                "Nobody uses another's account: whoever looks up patients for a"
                " practitioner or a pharmacy has an account of their own, as their"
                " delegate."
            )
        return "Access may not be delegated."

    @property
    def own_use(self) -> str:
        """What an applicant confirms about who uses the account."""
        rule = (
            "whoever looks up patients for me has an account of their own"
            if self.delegates
            else "access may not be delegated"
        )
        return (
            f"I alone will use this account. I will not let anyone else use it: {rule}."
        )

    @property
    def second_factor_roles(self) -> frozenset[Role]:
        """Roles whose users must have a second factor; delegates as supervisors."""
        roles = roles_named(self.second_factor)
        led = roles & {Role.PRACTITIONER, Role.PHARMACY}
        return roles | {Role.DELEGATE} if led else roles


def roles_named(text: str) -> frozenset[Role]:
    """Read `nobody`, `staff`, `everyone` or roles with commas; ValueError if unknown.

    `staff` is everybody who works for the program.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    known = {**GROUPS, **{role.value: frozenset({role}) for role in Role}}
    known["staff"] = STAFF_ROLES
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        said = ", ".join(unknown) or "nothing"
        raise ValueError(
            f"{said}: use nobody, staff, everyone, or roles such as"
            f" {', '.join(role.value for role in Role)}"
        )
    return frozenset[Role]().union(*(known[word] for word in words))
