"""Code lists of the standard, and which states a ZIP code prefix lies in."""

from functools import cache

_ID_KINDS = "01 02 03 04 05 06 07 08 99"
_PAYMENTS = "01 02 03 04 05 06 07 99"
_UNITS = "01 02 03"
_LISTS = {
    "PAT02": _ID_KINDS,
    "PAT05": _ID_KINDS,
    "PAT19": "F M U",
    "PAT20": "01 02",
    "PAT21": "01 02 03 04 05 06 07 08 09 10 11 98 99",
    "DSP01": "00 01 02",
    "DSP07": "01 06",
    "DSP11": _UNITS,
    "DSP12": "01 02 03 04 05 06 99",
    "DSP16": _PAYMENTS,
    "DSP24": "01 02 03 04 05 06 07 08 09 10 11 99",
    "DSP32": _PAYMENTS,
    "CDI02": "01 02 03 04 05",
    "CDI05": _UNITS,
    "AIR04": _ID_KINDS,
    "AIR06": "01 02 03 04 99",
    "AIR11": "01 02 98",
}
LISTS: dict[str, frozenset[str]] = {
    element: frozenset(codes.split()) for element, codes in _LISTS.items()
}
"""The codes an element may hold; elements that are not here are free."""

COMPOUND = "06"
"""DSP07 of a product that the pharmacy made: its CDI segments list what is in it."""

UNITS = {"01": "each", "02": "ml", "03": "g"}

# First three digits of the ZIP codes of each state, as the Postal Service assigns
# them; a prefix can lie in two states (063 is Connecticut and Fishers Island, NY).
_PREFIXES = (
    "AL350-369 AK995-999 AZ850-865 AR716-729 CA900-961 CO800-816 CT060-069 DE197-199"
    " DC200-205 DC569 FL320-349 GA300-319 GA398-399 HI967-968 ID832-838 IL600-629"
    " IN460-479 IA500-528 KS660-679 KY400-427 LA700-714 ME039-049 MD206-219 MA010-027"
    " MA055 MI480-499 MN550-567 MS386-397 MO630-658 MT590-599 NE680-693 NV889-898"
    " NH030-038 NJ070-089 NM870-884 NY005 NY063 NY100-149 NC270-289 ND580-588"
    " OH430-459 OK730-749 OR970-979 PA150-196 PR006-007 PR009 RI028-029 SC290-299"
    " SD570-577 TN370-385 TX750-799 TX885 TX733 UT840-847 VT050-059 VA201 VA220-246"
    " WA980-994 WV247-268 WI530-549 WY820-831 VI008 GU969 MP969 PW969 FM969 MH969"
    " AS967 AA340 AE090-098 AP962-966"
)


@cache
def states_of(prefix: str) -> frozenset[str]:
    """Give the states of a ZIP code's first three digits; empty if unassigned."""
    place = int(prefix)
    return frozenset(
        row[:2] for row in _PREFIXES.split() if int(row[2:5]) <= place <= int(row[-3:])
    )
