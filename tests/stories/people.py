"""Who is in the story, what they fill, and the files that say so."""

from dataclasses import replace
from datetime import date, timedelta

from pmp.demo import cast, roster_files, stories, submission_files
from pmp.demo.cast import Cast, Person
from pmp.demo.stories import Fill

PATIENT = Person(
    last="FALLOWS",
    first="IMOGEN",
    birth_date=date(1983, 4, 28),
    sex="F",
    street="9 QUARRY RD",
    city="HARTFORD",
    zip="06106",
    phone="8605550188",
)


def make(today: date) -> Cast:
    return cast.make(scale=0.05, today=today)


def _visit(  # who, where, what, when
    people: Cast, who: int, where: int, drug: stories.Drug, day: date
) -> Fill:
    return Fill(
        person=PATIENT,
        practitioner=people.practitioners[who],
        shop=people.shops[where],
        drug=drug,
        number=f"7{who:02d}{where:02d}{day:%d}",
        written=day,
        filled=day,
    )


def first_file(people: Cast, today: date) -> submission_files.File:
    """Give four pharmacies, eight good records, and three that must be held.

    The patient has two prescribers and two pharmacies in it: one short of the rule.
    """
    fills = [
        _visit(people, 0, 0, stories.OXYCODONE_ER_20, today - timedelta(days=20)),
        _visit(people, 7, 4, stories.ALPRAZOLAM, today - timedelta(days=15)),
    ]
    others = [
        fill for fill in stories.all_fills(people, today=today) if _is_noise(fill)
    ]
    fills += [replace(fill, shop=people.shops[1]) for fill in others[:3]]
    fills += [replace(fill, shop=people.shops[3]) for fill in others[3:6]]
    whole = submission_files.write(fills, name="first", written=today)
    bad = [replace(fill, shop=people.shops[0]) for fill in others[6:9]]
    faulty = submission_files.write_with_faults(bad, name="bad", written=today)
    return replace(whole, name="first.dat", body=whole.body + faulty.body)


def second_file(people: Cast, today: date) -> submission_files.File:
    """Give the fill by which the patient reaches the rule: three and three."""
    fill = _visit(people, 5, 3, stories.HYDROCODONE, today - timedelta(days=5))
    return submission_files.write([fill], name="second", written=today)


def licences(people: Cast, today: date) -> str:
    return roster_files.licences(people, today=today)


def contacts(people: Cast) -> str:
    return roster_files.contacts(people)


def _is_noise(fill: Fill) -> bool:
    return fill.person.phone.startswith("95955501") and "LN" not in fill.person.street
