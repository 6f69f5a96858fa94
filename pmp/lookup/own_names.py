"""Whether a user looks up a namesake: themselves, or perhaps their own family."""

from collections.abc import Iterable, Iterator

from models import Application, LookUp, ReportedIdentity, Role, User
from pmp.matching.identities import GENERATIONS, name_key, name_parts
from pmp.matching.name_frequencies import LAST

_SHORTEST = 3
_COMMON = 1 / 2_000
_TITLES = frozenset({"MD", "DO", "DDS", "DMD", "DVM", "APRN", "PA", "RN", "DR", "PHD"})


def words(user: User, look_up: LookUp, reported: Iterable[ReportedIdentity]) -> str:
    """Say which name of the user's the looked-up person has; nothing if none.

    The name as typed counts like those under which the person was reported.
    """
    looked_up = [(look_up.first_name, look_up.last_name)]
    looked_up += [(each.first_name, each.last_name) for each in reported]
    persons = [("user's own", user)]
    if look_up.delegation is not None:
        persons.append(("supervisor's", look_up.delegation.supervisor))
    for whose, person in persons:
        for first_own, last_own in _names(person):
            for first, last in looked_up:
                if not _same_last_name(last_own, last):
                    continue
                if name_key(first_own) == name_key(first):
                    return f"The {whose} first and last name."
                share = LAST.get(name_key(last_own), 0.0)
                often = ", which is a common one" if share >= _COMMON else ""
                return f"The {whose} last name{often}."
    return ""


def _names(user: User) -> Iterator[tuple[str, str]]:
    """Give the first and last names by which the program knows a user."""
    if user.role is Role.DELEGATE:
        yield _parted(user.name)
        return
    if user.role is Role.PRACTITIONER:
        if user.prescriber:
            yield user.prescriber.first_name, user.prescriber.last_name
        yield _parted(user.name)
        if user.licence:
            yield _parted(user.licence.name)
        return
    for application in Application.select().where(Application.user == user):
        yield _parted(application.pharmacist_in_charge)


def _parted(name: str) -> tuple[str, str]:
    """Part “Ruth B. Adams, MD” or “ADAMS, RUTH” into first and last name."""
    before, _, after = name.partition(",")
    kept = [word for word in after.split() if name_key(word) not in _TITLES]
    if kept:
        return kept[0], before
    parts = before.split()
    while len(parts) > 1 and _is_no_name(parts[-1]):
        parts.pop()
    return (parts[0], parts[-1]) if len(parts) > 1 else ("", "")


def _is_no_name(word: str) -> bool:
    plain = word.upper().strip(".")
    return plain in GENERATIONS or name_key(word) in _TITLES


def _same_last_name(own: str, other: str) -> bool:
    if len(name_key(own)) < 2:
        return False
    shared = set(name_parts(own)) & set(name_parts(other))
    return name_key(own) == name_key(other) or any(
        len(part) >= _SHORTEST for part in shared
    )
