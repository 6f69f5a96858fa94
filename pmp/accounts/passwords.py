"""Passwords: how they are hashed, and which ones are refused.

NIST SP 800-63B-4: at least 15 characters, 8 with a second factor, no rule of
composition, no forced change, nothing that is easily guessed. What is guessed first is
in zxcvbn's lists: leaked passwords, common words and names, runs of keys. OWASP:
argon2id with 19 MiB, two passes, one lane.
"""

import re
import unicodedata
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn import zxcvbn

from pmp import settings

LONGEST = 128
MOST_REPEATED_UNIT = 8
FEWEST_DIFFERENT = 6
FEWEST_OF_ONES_OWN = 8
SHORTEST_NAME = 3
# Guesses, as a power of ten: below it, a list of leaked passwords or an afternoon of
# slow guessing finds it.
FEWEST_GUESSES = 8
LONGEST_GUESSED = 72  # what the library takes; who starts well has chosen well

# Runs that fingers know, and the words that lists of leaked passwords are made of.
RUNS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
)
COMMON = (
    *("password", "passwort", "passphrase", "passw0rd", "p@ssw0rd", "p@ssword"),
    *("letmein", "welcome", "iloveyou", "trustno", "changeme", "secret", "login"),
    *("admin", "administrator", "monkey", "dragon", "sunshine", "princess", "master"),
    *("football", "baseball", "superman", "batman", "summer", "winter", "spring"),
    *("autumn", "hello", "whatever", "starwars", "michael", "charlie", "shadow"),
    *("doctor", "pharmacy", "pharmacist", "physician", "medical", "hospital"),
    *("prescription", "monitoring", "program", "portal", "user", "test", "temp"),
)

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Verified where there is no user, so that an unknown name takes as long as a known one.
_nobody = _hasher.hash("nobody has this password")


def hash_secret(secret: str) -> str:
    """Give the argon2id hash of a password or of a mailed secret."""
    return _hasher.hash(_normal(secret))


def matches(secret_hash: str | None, secret: str) -> bool:
    """Tell whether a secret is the hashed one; no hash takes as long as a wrong one."""
    known = bool(secret_hash) and len(secret) <= LONGEST
    given = _normal(secret) if len(secret) <= LONGEST else ""
    try:
        _hasher.verify(secret_hash if known and secret_hash else _nobody, given)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return known


def is_outdated(secret_hash: str) -> bool:
    """Tell whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(secret_hash)


def shortest(*, with_factor: bool) -> int:
    """Give the fewest characters of a password; fewer beside a second factor."""
    chosen = settings.current()
    if not with_factor:
        return chosen.password_min_length
    return min(chosen.password_min_length, chosen.password_min_length_with_factor)


def is_short(password: str) -> bool:
    """Tell whether a password will do beside a second factor only."""
    return len(_normal(password)) < settings.current().password_min_length


def problem(password: str, *, username: str, shortest: int) -> str | None:
    """Say in a sentence why a password is refused; None if it will do."""
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters"
    plain = _normal(password).casefold()
    if len(plain) < shortest:
        return f"Use at least {shortest} characters; four or five words make a good one"
    if words := _too_few_kinds(password):
        return words
    return next(_guesses(plain, username.casefold(), shortest), None)


def _guesses(plain: str, username: str, shortest: int) -> Iterator[str]:
    """Give why a password is guessed, the plainest reason first."""
    if len(username) >= SHORTEST_NAME and username in plain:
        yield "Do not use your user name in the password"
    if len(set(plain)) < FEWEST_DIFFERENT or _is_repeated(plain):
        yield "Do not repeat the same characters; use several different words"
    # A password that may be short need not have as much of its own.
    if len(_own_part(plain)) < min(FEWEST_OF_ONES_OWN, shortest // 2 + 1):
        yield "This is easily guessed; use several words that do not belong together"
    if _is_known(plain, username):
        yield (
            "This is among the passwords that are tried first; use several words that"
            " do not belong together"
        )


def _is_known(plain: str, username: str) -> bool:
    own = [username, *_program_words()]
    judged = zxcvbn(plain[:LONGEST_GUESSED], user_inputs=own)
    return bool(judged["guesses_log10"] < FEWEST_GUESSES)


def _too_few_kinds(password: str) -> str:
    """Say what a state that wants composition (PMP_PASSWORD_KINDS) misses."""
    wanted = settings.current().password_kinds
    kinds = (str.islower, str.isupper, str.isdigit)
    found = sum(any(kind(sign) for sign in password) for kind in kinds)
    found += any(not sign.isalnum() for sign in password)
    if found >= wanted:
        return ""
    return (
        f"Use at least {wanted} of these: small letters, capitals, digits, other signs"
    )


def _normal(secret: str) -> str:
    return unicodedata.normalize("NFKC", secret)


def _is_repeated(plain: str) -> bool:
    longest = min(MOST_REPEATED_UNIT, len(plain) // 2)
    units = (plain[:length] for length in range(1, longest + 1))
    return any(plain == (unit * len(plain))[: len(plain)] for unit in units)


def _own_part(plain: str) -> str:
    """Give what is left once guessable words, runs and decoration are taken out."""
    for known in sorted({*COMMON, *_program_words()}, key=len, reverse=True):
        plain = plain.replace(known, " ")
    for run in RUNS:
        for direction in (run, run[::-1]):
            plain = _without_run(plain, direction)
    return re.sub(r"(19|20)\d\d|[\s!-/:-@\[-`{-~]", "", plain)


def _without_run(plain: str, run: str) -> str:
    for length in range(len(run), 3, -1):
        for start in range(len(run) - length + 1):
            plain = plain.replace(run[start : start + length], " ")
    return plain


def _program_words() -> set[str]:
    chosen = settings.current()
    names = (
        f"{chosen.system_name} {chosen.short_name} {chosen.state_name} "
        f"{chosen.department} {chosen.department_short} {chosen.portal_name}"
    )
    words = re.findall(r"[a-z]+", names.casefold())
    return {word for word in words if len(word) >= SHORTEST_NAME}
