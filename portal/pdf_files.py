"""PDFs as downloads: they hold patients, and never open within the portal."""

from flask import Response


def pdf_answer(filename: str, body: bytes) -> Response:
    """Give a PDF to save."""
    answer = Response(body, mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    return answer
