"""What staff announce: written, reviewed, shown from one day through another.

An announcement goes to everybody, who find it on the home page, or to users of some
roles. A user who has read one may dismiss it; it comes again only if it is changed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from markupsafe import Markup
from peewee import IntegrityError

from models import Announcement, DismissedAnnouncement, Role, User
from pmp import audit, clock, database, delegates
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.public_pages import facts, markup

LONGEST_TITLE, LONGEST_BODY, LONGEST_FAX_LINE = 100, 2000, 80
MOST_DAYS = 366
MOST_FAX_LINES = 2
CHANGED = (
    "Somebody else has changed this announcement meanwhile. Nothing of yours is kept"
    " yet: compare the two below, then send yours again."
)


class Readers(StrEnum):
    """To whom an announcement goes."""

    EVERYBODY = "everybody"
    PRACTITIONERS = "practitioners"
    PHARMACIES = "pharmacies"
    STAFF = "staff"


READER_WORDS = {
    Readers.EVERYBODY: "Everybody, on the home page too",
    Readers.PRACTITIONERS: "Practitioners",
    Readers.PHARMACIES: "Pharmacies",
    Readers.STAFF: "Staff of the program",
}


@dataclass(frozen=True)
class Terms:
    """An announcement as it is typed. Both days are included, in the programme's zone.

    `fax_line` is said on cover sheets of faxes as well; empty: it is not.
    """

    title: str
    body: str
    audiences: Sequence[str]
    is_grave: bool
    starts_on: date
    ends_on: date
    fax_line: str = ""


def require_sound(terms: Terms, *, today: date) -> None:
    """Raise RuleError, with the field, for terms that no announcement could have."""
    _require_words("title", terms.title, LONGEST_TITLE)
    _require_words("body", terms.body, LONGEST_BODY)
    if len(terms.fax_line) > LONGEST_FAX_LINE:
        _too_long("fax_line", terms.fax_line, LONGEST_FAX_LINE)
    known = facts.facts(markup.signs(terms.body))
    for problem in markup.problems(terms.body, known):
        raise RuleError(problem, field="body")
    if not terms.audiences:
        raise RuleError("Choose at least one.", field="audiences")
    if terms.ends_on < terms.starts_on:
        message = "The last day is before the first. Write a later one."
        raise RuleError(message, field="ends_on")
    if terms.ends_on < today:
        message = "This day is over: nobody would see it. Write a later one."
        raise RuleError(message, field="ends_on")
    if (terms.ends_on - terms.starts_on).days >= MOST_DAYS:
        message = "This is longer than a year. Write an earlier last day."
        raise RuleError(message, field="ends_on")


def publish(terms: Terms, *, by: User, at: datetime) -> Announcement:
    """Announce something. RuleError, with the field, for terms that will not do."""
    require_sound(terms, today=clock.day_of(at))
    with database.atomic():
        row: Announcement = Announcement.create(
            **_columns(terms), written_by=by.username, written_at=at
        )
        _record(audit.Event.ANNOUNCEMENT_WRITTEN, row, by=by, at=at)
    return row


def change(
    announcement: Announcement, terms: Terms, *, replaces: int, by: User, at: datetime
) -> Announcement:
    """Change an announcement: who had dismissed it sees it again.

    `replaces` is the version that its writer saw: ConflictError if there is another by
    now. RuleError for terms that will not do, and for those that change nothing.
    """
    require_sound(terms, today=clock.day_of(at))
    if terms == terms_of(announcement):
        raise RuleError("Nothing is changed.", field="title")
    with database.atomic():
        _set(
            announcement,
            replaces,
            **_columns(terms),
            written_by=by.username,
            written_at=at,
        )
        row = get(announcement.id)
        _record(audit.Event.ANNOUNCEMENT_WRITTEN, row, by=by, at=at)
    return row


def withdraw(announcement: Announcement, *, by: User, at: datetime) -> None:
    """Take an announcement down at once; ConflictError if it is down already."""
    if announcement.withdrawn_at is not None:
        raise ConflictError("This announcement has been withdrawn already.")
    with database.atomic():
        _set(
            announcement,
            announcement.version,
            withdrawn_by=by.username,
            withdrawn_at=at,
        )
        _record(audit.Event.ANNOUNCEMENT_WITHDRAWN, announcement, by=by, at=at)


def restore(announcement: Announcement, *, by: User, at: datetime) -> None:
    """Undo a withdrawal; ConflictError if it is not withdrawn."""
    if announcement.withdrawn_at is None:
        raise ConflictError("This announcement is not withdrawn.")
    with database.atomic():
        _set(announcement, announcement.version, withdrawn_by="", withdrawn_at=None)
        _record(audit.Event.ANNOUNCEMENT_RESTORED, announcement, by=by, at=at)


def get(announcement_id: int) -> Announcement:
    """Give an announcement; NotFoundError if there is none."""
    row: Announcement | None = Announcement.get_or_none(id=announcement_id)
    if row is None:
        raise NotFoundError("There is no such announcement.")
    return row


def terms_of(announcement: Announcement) -> Terms:
    """Give what was typed."""
    return Terms(
        announcement.title,
        announcement.body,
        tuple(announcement.audiences),
        announcement.is_grave,
        announcement.starts_on,
        announcement.ends_on,
        announcement.fax_line,
    )


def state_words(announcement: Announcement, *, today: date) -> str:
    """Say whether it is shown: Shown now, To come, Over or Withdrawn."""
    if announcement.withdrawn_at is not None:
        return "Withdrawn"
    if announcement.ends_on < today:
        return "Over"
    return "To come" if announcement.starts_on > today else "Shown now"


def shown_to(user: User | None, *, today: date) -> list[Announcement]:
    """List what somebody finds in force, dismissed or not: grave first, then new."""
    wanted = {Readers.EVERYBODY} | _groups(user)
    return [row for row in _in_force(today) if wanted & set(row.audiences)]


def waiting_for(user: User, *, today: date) -> list[Announcement]:
    """List what a user finds in force and has not dismissed."""
    query = DismissedAnnouncement.select(
        DismissedAnnouncement.announcement, DismissedAnnouncement.version
    ).where(DismissedAnnouncement.user == user)
    shown = shown_to(user, today=today)
    read = set(query.tuples()) if shown else set()
    return [row for row in shown if (row.id, row.version) not in read]


def dismiss(announcement: Announcement, *, by: User, at: datetime) -> None:
    """Keep that a user has read an announcement; again does no harm.

    NotFoundError if it is not for them, or not in force.
    """
    if announcement not in shown_to(by, today=clock.day_of(at)):
        raise NotFoundError("There is no such announcement.")
    values = {"version": announcement.version, "dismissed_at": at}
    whose = {"announcement": announcement, "user": by}
    try:
        with database.atomic():
            DismissedAnnouncement.create(**whose, **values)
    except IntegrityError:
        query = DismissedAnnouncement.update(**values)
        mine = DismissedAnnouncement.user == by
        query.where(
            mine & (DismissedAnnouncement.announcement == announcement)
        ).execute()


def text_html(body: str) -> Markup:
    """Give an announcement's text as HTML, without headings: its title is one."""
    return markup.html(body, facts.facts(markup.signs(body)), headings=False)


def fax_lines(*, today: date) -> list[str]:
    """Give what cover sheets of faxes say as well: two lines at most."""
    lines = [row.fax_line for row in _in_force(today) if row.fax_line]
    return lines[:MOST_FAX_LINES]


def _groups(user: User | None) -> set[Readers]:
    """Give among whose readers a user is: a delegate where their supervisors are."""
    if user is None:
        return set()
    if user.role is Role.DELEGATE:
        at = clock.now()
        return {reader_of(each.role) for each in delegates.supervisors(user, at=at)}
    return {reader_of(user.role)}


def reader_of(role: Role) -> Readers:
    """Say among whose readers a role is."""
    readers = {
        Role.PRACTITIONER: Readers.PRACTITIONERS,
        Role.PHARMACY: Readers.PHARMACIES,
    }
    return readers.get(role, Readers.STAFF)


def _in_force(today: date) -> list[Announcement]:
    query = (
        Announcement.select()
        .where(Announcement.starts_on <= today)
        .where(Announcement.ends_on >= today)
        .where(Announcement.withdrawn_at.is_null())
    )
    return sorted(query, key=lambda row: (not row.is_grave, -row.id))


def _set(announcement: Announcement, replaces: int, **values: Any) -> None:
    """Change the row if it is still the version that was seen."""
    changed = (
        Announcement.update(version=Announcement.version + 1, **values)
        .where(Announcement.id == announcement.id)
        .where(Announcement.version == replaces)
        .execute()
    )
    if not changed:
        raise ConflictError(CHANGED)


def _columns(terms: Terms) -> dict[str, Any]:
    return {**asdict(terms), "audiences": list(terms.audiences)}


def _record(event: audit.Event, row: Announcement, *, by: User, at: datetime) -> None:
    audit.record(
        event,
        actor=by.username,
        subject=f"announcement:{row.id}",
        at=at,
        detail={**_columns(terms_of(row)), "version": row.version},
    )


def _require_words(field: str, words: str, most: int) -> None:
    if not words.strip():
        raise RuleError("Write something here.", field=field)
    if len(words) > most:
        _too_long(field, words, most)


def _too_long(field: str, words: str, most: int) -> None:
    message = f"These are {len(words):,} characters. Write at most {most:,}."
    raise RuleError(message, field=field)
