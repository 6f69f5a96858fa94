"""The letters that our printed documents can draw, and names in them written so.

DejaVu Sans Condensed, regular and bold, cut down to the scripts in fonts/LICENCE.txt,
goes into every document: a fax server or a print shop may have other fonts than ours.
The renderer writes from left to right and joins nothing, so names in Hebrew and Arabic
are put in the order, and in the forms, in which they are seen.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from arabic_reshaper import reshape  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu Sans Condensed"  # as drawings ask for it
PLAIN = "DejaVuSansCondensed"
BOLD = f"{PLAIN}-Bold"

_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"
_NAME = re.compile(f"[{_RIGHT_TO_LEFT}]+(?:[ '\u2019.-]+[{_RIGHT_TO_LEFT}]+)*")


def drawable(source: str) -> str:
    """Write each sign that no font of ours has as its code point: 王 as [U+738B].

    Accents are joined to their letters first, and what is read from right to left is
    put in the order in which it stands on paper.
    """
    source = unicodedata.normalize("NFC", source)
    if source.isascii():
        return source
    source = _NAME.sub(lambda name: _as_seen(name.group()), source)
    odd = {ord(sign) for sign in source if not sign.isascii()} - _glyphs()
    return source.translate({point: f"[U+{point:04X}]" for point in odd})


def registered(name: str = PLAIN) -> str:
    """Give the name under which reportlab has a font of ours, embedded where used."""
    if name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    return name


def _as_seen(name: str) -> str:
    """Give a name's signs from left to right, each with its marks after it."""
    seen: list[str] = []
    for sign in reshape(name):
        if seen and unicodedata.combining(sign):
            seen[-1] += sign
        else:
            seen.append(sign)
    return "".join(reversed(seen))


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Give the code points that every one of our fonts can draw."""
    faces = [TTFont(file.stem, str(file)).face for file in FONTS.glob("*.ttf")]
    return frozenset.intersection(*(frozenset(face.charToGlyph) for face in faces))
