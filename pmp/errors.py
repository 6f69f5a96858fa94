"""Refusals in the words of the person who is refused."""


class RuleError(Exception):
    """A rule said no: `message` for the person, `field` for the form."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class ConflictError(RuleError):
    """Someone else changed the row meanwhile; nothing was written."""


class NotFoundError(RuleError):
    """No such row, or none that this person may see: the two are not told apart."""
