"""Security headers, limits and origins: the same for every page."""

from itertools import chain
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request

from pmp import settings
from portal.access import Access

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The browser's check of forms needs the origin; no other site learns an address.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
MEGABYTE = 1024 * 1024
SMALL_BODY = 256 * 1024
NUL = "\0"
STATIC_SECONDS = 365 * 24 * 3600


def begin(app: Flask) -> None:
    """Limit what comes in, and mark what goes out."""
    app.config["MAX_CONTENT_LENGTH"] = SMALL_BODY
    app.before_request(_limit_body)
    app.before_request(_refuse_foreign_forms)
    app.before_request(_refuse_nul)
    app.after_request(_mark)


def is_https() -> bool:
    """Tell whether users reach the portal over TLS."""
    return settings.current().public_url.startswith("https:")


def _limit_body() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if hasattr(view, "takes_files"):
        chosen = settings.current()
        megabytes = chosen.upload_megabytes
        if hasattr(view, "takes_several_files"):
            megabytes = chosen.most_upload_megabytes
        request.max_content_length = megabytes * MEGABYTE + SMALL_BODY


def _refuse_foreign_forms() -> None:
    origin = request.headers.get("Origin")
    if origin is None or request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    ours = {request.host, urlsplit(settings.current().public_url).netloc}
    if urlsplit(origin).netloc not in ours:
        abort(403, "This form came from another site and was not accepted.")


def _refuse_nul() -> None:
    """Refuse the one character that Postgres cannot store, typed or in an address."""
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "access", None) == Access.MACHINE:
        return  # it reads its raw body
    typed = chain.from_iterable(request.values.items(multi=True))
    if NUL in request.path or any(NUL in text for text in typed):
        abort(400)


def _mark(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_https():
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static" and response.status_code in {200, 304}:
        # The address carries the content's hash: a new sheet has a new address.
        response.cache_control.max_age = STATIC_SECONDS
        response.cache_control.public = True
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
