"""Where the terminator between two segments is missing.

Two segments that no terminator parts look like one with strange elements, and the
second seems not to be there.  It is found again by a line that begins with its name, or
within a line by its name and by what must follow it.
"""

import re

from pmp.asap.elements import SEGMENTS

# What follows a name within a line, so plainly that no data looks like it: <D> parts
# elements, <T> is any text in one.
_SHAPES = {
    "TH": r"<D>\d\.\d[AB]?<D>",
    "PHA": r"<D>(?:[12]\d{9})?<D>(?:\d{7})?<D>(?:[A-Z][A-Z9]\d{7})?<D><T>",
    "PAT": r"(?:(?:<D><T>*+){17}<D>\d{8}(?:<D>|$)|<D>{7}REPORT<D>ZERO)",
    "DSP": r"<D>(?:(?:0\d)?<D><T>++<D>\d{8}<D>\d++<D>\d{8}<D>|<D>{4}\d{8})",
    "PRE": r"<D>(?:[12]\d{9})?<D>[A-Z][A-Z9]\d{7}(?:<D>|$)",
    "CDI": r"<D>\d\d?<D>0\d<D>[\d-]{10,15}<D>[\d.]++",
    "AIR": r"<D>(?:[A-Z]{2})?<D><T>*+<D>(?:[A-Z]{2})?<D>(?:0\d|99)<D>",
    "TP": r"<D>\d++<D>*+\s*+$",
    "TT": r"<D><T>++<D>\d++<D>*+\s*+$",
}


class Seams:
    """Finds missing terminators in the text between two that are there."""

    def __init__(self, element: bytes) -> None:
        part = re.escape(element.decode("latin-1"))
        names = "|".join(SEGMENTS)
        shapes = "|".join(f"{name}{shape}" for name, shape in _SHAPES.items())
        within = shapes.replace("<D>", part).replace("<T>", f"[^{part}\r\n]")
        self._line = re.compile(
            rf"[\r\n]\s*+({names})[ \t]*+{part}".encode("latin-1"), re.IGNORECASE
        )
        self._begins = re.compile(rf"(?:{names})\s*+{part}".encode("latin-1"))
        self._within = re.compile(rf"(?:{within})".encode("latin-1"))

    def first(self, raw: bytes) -> tuple[int, str] | None:
        """Give where the first segment ends, and the name of the one glued to it.

        None if `raw`, which may begin with line ends and blanks, is one segment.
        """
        begin = len(raw) - len(raw.lstrip()) + 1
        line = self._line.search(raw, begin)
        end = line.start() if line else len(raw)
        # Names within a line are looked at only where one can stand at all.
        for name in self._begins.finditer(raw, begin, end):
            if self._within.match(raw, name.start()):
                return name.start(), _name(name[0])
        return (line.start(), _name(line[1])) if line else None


def _name(found: bytes) -> str:
    text = re.match(rb"[A-Za-z]+", found)
    return text[0].decode().upper() if text else ""
