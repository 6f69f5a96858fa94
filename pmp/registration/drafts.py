"""A registration that is being typed: kept step by step, found again by its code.

The code is given with the first step, so that a person who is called away can go on
later, from any browser, by the code and the name. Nothing here is judged but what is
asked in one step; the roster is not asked at all.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from enum import StrEnum

from models import ApplicationDraft, Profession
from pmp import clock, settings
from pmp.registration.answers import (
    PHARMACY_ONLY,
    PRACTITIONER_ONLY,
    Answers,
    is_social_security,
    problems,
)
from pmp.registration.registration_codes import new_code, read_code

LONGEST = 200


class Step(StrEnum):
    """The pages of the form, in order."""

    WHO = "who"
    NUMBERS = "numbers"
    REACH = "reach"


NUMBERS = ("licence_number", "dea", "npi", "ncpdp")
_NAMES = PRACTITIONER_ONLY | (PHARMACY_ONLY - {"ncpdp"})


def step_of(name: str) -> Step:
    """Give the page on which an answer is asked for."""
    if name in NUMBERS:
        return Step.NUMBERS
    return Step.WHO if name in _NAMES else Step.REACH


def begin(
    profession: Profession, typed: Mapping[str, str], *, at: datetime
) -> ApplicationDraft:
    """Keep the first step of a registration, under the code that it will have."""
    made: ApplicationDraft = ApplicationDraft.create(
        code=new_code(),
        profession=profession,
        answers=_kept(typed),
        started_at=at,
        saved_at=at,
    )
    return made


def save(draft: ApplicationDraft, typed: Mapping[str, str], *, at: datetime) -> bool:
    """Keep what was typed, right or wrong, over what was; False if the draft is gone.

    A social security number is not kept, wherever it was typed.
    """
    answers = {**draft.answers, **_kept(typed)}
    saved = (
        ApplicationDraft.update(answers=answers, saved_at=at)
        .where(ApplicationDraft.id == draft.id)
        .execute()
    )
    draft.answers, draft.saved_at = answers, at
    return bool(saved)


def by_code(text: str) -> ApplicationDraft | None:
    """Give the unfinished registration with a code, however typed; None if none."""
    code = read_code(text)
    found: ApplicationDraft | None = (
        ApplicationDraft.get_or_none(ApplicationDraft.code == code) if code else None
    )
    return found


def answers_of(draft: ApplicationDraft) -> Answers:
    """Give what was typed so far."""
    names = {field.name for field in fields(Answers)}
    return Answers(**{k: v for k, v in draft.answers.items() if k in names})


def problems_of(draft: ApplicationDraft, step: Step) -> dict[str, str]:
    """Say what is wrong with the answers of one step; empty if nothing."""
    found = problems(draft.profession, answers_of(draft))
    return {name: words for name, words in found.items() if step_of(name) == step}


def unfinished(draft: ApplicationDraft) -> Step | None:
    """Give the first step that still lacks something; None when all can be reviewed."""
    return next((step for step in Step if problems_of(draft, step)), None)


def kept_until(draft: ApplicationDraft) -> date:
    """Give the day after which an unfinished registration is deleted."""
    return clock.day_of(
        draft.saved_at + timedelta(days=settings.current().registration_days)
    )


def forget(code: str) -> None:
    """Delete what was typed under a code: it is submitted."""
    ApplicationDraft.delete().where(ApplicationDraft.code == code).execute()


def expire(*, at: datetime) -> int:
    """Delete what nobody has gone on with for `registration_days`; give how many."""
    oldest = at - timedelta(days=settings.current().registration_days)
    query = ApplicationDraft.delete().where(ApplicationDraft.saved_at < oldest)
    return int(query.execute())


def _kept(typed: Mapping[str, str]) -> dict[str, str]:
    # NUL cannot be stored by Postgres.
    return {
        name: "" if is_social_security(text) else text.replace("\0", "")[:LONGEST]
        for name, text in typed.items()
    }
