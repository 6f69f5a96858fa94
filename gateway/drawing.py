"""HTML to PDF by xhtml2pdf, in a process of its own: see gateway.documents.

It may read our fonts and nothing else: no file, no network. Whatever the renderer would
only have logged is an error: a letter that silently lacks its picture must not leave
the house.
"""

import logging

from svglib import fonts as drawing_fonts
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

from gateway.confined import UnableError
from gateway.typefaces import BOLD, FAMILY, FONTS, PLAIN

SECONDS = 60
LARGEST_HTML = 10 * 1024 * 1024
LARGEST_PDF = 20 * 1024 * 1024

# It quotes what it could not draw: a patient's name. The error tells of it instead.
logging.getLogger("xhtml2pdf").setLevel(logging.CRITICAL + 1)

for _weight in ("normal", "bold"):
    _name = BOLD if _weight == "bold" else PLAIN
    drawing_fonts.register_font(
        FAMILY, str(FONTS / f"{_name}.ttf"), weight=_weight, rlgFontName=_name
    )

# Of a document that names no font: the renderer's own would not be in the file.
_STYLE = f"""<style>
@font-face {{ font-family: ours; src: url("{PLAIN}.ttf"); }}
@font-face {{ font-family: ours; src: url("{BOLD}.ttf"); font-weight: bold; }}
html {{ font-family: ours; }}
</style>""".encode()


def draw(source: bytes) -> bytes:
    """Draw HTML (UTF-8) as a PDF of at most 20 MB; UnableError says why not."""
    try:
        result = pisa.CreatePDF(
            _STYLE + source,
            path=str(FONTS / "document.html"),
            encoding="utf-8",
            capacity=-1,  # never in a temporary file: it would hold patient data
            resource_policy=_policy(),
            raise_exception=True,
        )
    except Exception as error:  # noqa: BLE001 - it parses what it is given, and says so in many ways
        # Its name alone: a parser's message may quote a patient's name.
        raise UnableError(f"{type(error).__name__} while drawing") from None
    if result.err or result.log:
        raise UnableError(_complaint(result.log))
    body: bytes = result.dest.getvalue()
    if len(body) > LARGEST_PDF:
        raise UnableError(f"larger than {LARGEST_PDF} bytes")
    return body


def _policy() -> ResourceAccessPolicy:
    return ResourceAccessPolicy.server(
        FONTS,
        allow_remote=False,
        max_render_seconds=SECONDS,
        max_document_bytes=LARGEST_HTML,
    )


def _complaint(log: list[tuple[str, int, str, str]]) -> str:
    if not log:
        return "the renderer reported an error"
    _, line, message, _ = log[0]
    [first, *_] = str(message).splitlines() or [""]
    return f"line {line}: {first.strip()[:100]}"
