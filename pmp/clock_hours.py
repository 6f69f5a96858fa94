"""Hours of a day written as “23-5”: from eleven at night until five. Pure."""

import re

_WRITTEN = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)
_HOURS = 24


def parse(text: str) -> frozenset[int]:
    """Read “23-5” as 23, 0, 1, 2, 3 and 4; nothing is no hour at all.

    ValueError, with a sentence, for anything else.
    """
    if not text.strip():
        return frozenset()
    match = _WRITTEN.fullmatch(text.strip())
    if not match:
        raise ValueError("write two hours, such as 23-5, or nothing")
    first, end = (int(hour) for hour in match.groups())
    if first >= _HOURS or end > _HOURS or first == end:
        raise ValueError("write two different hours from 0 to 24, such as 23-5")
    last = end if end > first else end + _HOURS
    return frozenset(hour % _HOURS for hour in range(first, last))


def spoken(hour: int) -> str:
    """Say a full hour, 0 to 24, for people: 8 AM, noon, midnight."""
    if hour % 12 == 0:
        return "noon" if hour == 12 else "midnight"
    return f"{hour % 12} {'AM' if hour < 12 else 'PM'}"


def spoken_hours(text: str | None) -> str:
    """Say hours for people: “23-5” is “11 PM to 5 AM”; nothing for none."""
    return " to ".join(spoken(int(hour)) for hour in (text or "").split("-") if hour)
