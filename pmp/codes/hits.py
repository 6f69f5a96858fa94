"""What a search in the staff frame may find."""

from dataclasses import dataclass

from pmp.permissions import Permission


@dataclass(frozen=True)
class Hit:
    """A thing that was found: in words, the page where it is, who may open that."""

    words: str
    address: str
    permission: Permission
