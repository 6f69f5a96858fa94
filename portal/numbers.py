"""Whole numbers that a person or an address gives: no greater than a table's can be."""

from werkzeug.routing import IntegerConverter, Map, ValidationError

MOST = 2**31 - 1
"""The greatest number of a row; an engine fails at a greater one."""


def whole(text: str | int) -> int:
    """Read a whole number as typed, or raise ValueError for one beyond ±`MOST`."""
    number = int(text)
    if abs(number) > MOST:
        raise ValueError("This number is too great.")
    return number


class NumberInAddress(IntegerConverter):
    """`<int:…>` of a page's address; where it is too great there is no such page."""

    def __init__(self, routes: Map) -> None:
        super().__init__(routes, max=MOST)

    def to_python(self, value: str) -> int:
        # int() also reads digits of other scripts; two addresses would be one page.
        if not value.isascii():
            raise ValidationError
        return int(super().to_python(value))
