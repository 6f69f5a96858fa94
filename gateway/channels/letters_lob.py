"""Letters by a print-and-mail company that speaks Lob's API.

PMP_LETTERS_URL is lob+https://key@api.lob.com. The company prints the address on a
sheet of its own before our pages, so that ours stay as they were drawn. A letter is
made with the attempt's key as Idempotency-Key: where the answer is lost the very same
call is made once more, and leaves one letter. What is in doubt after that is looked for
by the attempt's mark in its metadata. Addresses: docs.lob.com, Letters; Publication 28.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway import carrier_calls
from gateway.carrier_calls import Answer, UnansweredError, content
from gateway.channels import letters_print
from gateway.message import DeliveryError, Message
from gateway.windows import block
from models import ErrorClass
from pmp import settings
from pmp.deliveries import address_block
from pmp.deliveries.address_block import AddressFault, Block
from pmp.deliveries.callbacks import CarrierReport, Progress

CARRIER = "lob"
REPEATABLE = False
MARK = "attempt"  # in the metadata: the hash of the attempt's own token
_UNDERWAY = (Progress.UNDERWAY, None)
_MAILED = (Progress.MAILED, None)
# The last word of an event, "letter.certified.in_transit" or "In Transit" alike.
_PROGRESS: dict[str, tuple[Progress, ErrorClass | None]] = {
    "mailed": _MAILED,
    "in_transit": _MAILED,
    "in_local_area": _MAILED,
    "processed_for_delivery": _MAILED,
    "re_routed": _MAILED,
    "pickup_available": _MAILED,
    "delivered": (Progress.DELIVERED, None),
    "returned_to_sender": (Progress.RETURNED, None),
    "returned": (Progress.RETURNED, None),
    "failed": (Progress.FAILED, ErrorClass.DOCUMENT),
    "rejected": (Progress.FAILED, ErrorClass.DOCUMENT),
    "deleted": (Progress.FAILED, ErrorClass.REJECTED),  # somebody stopped it there
}
_RANK = (
    Progress.UNDERWAY,
    Progress.MAILED,
    Progress.DELIVERED,
    Progress.RETURNED,
    Progress.FAILED,
)


@dataclass(frozen=True)
class _Account:
    key: str
    letters: str


def send(message: Message) -> str:
    """Have a letter printed and mailed; give the company's id of it."""
    letters_print.check(message)
    fields = [*_fields(message), *_to(block(message.address)), *_from()]
    try:
        answer = _make(message, fields)
    except DeliveryError as error:
        if error.error_class != ErrorClass.IN_DOUBT:
            raise
        answer = _make(message, fields, seconds=_seconds_again())
    reference = content(answer, ErrorClass.IN_DOUBT).get("id")
    if not isinstance(reference, str) or not reference:
        raise DeliveryError(ErrorClass.IN_DOUBT, "the carrier's answer has no number")
    return reference


def look(reference: str) -> CarrierReport:
    """Ask what became of a letter."""
    answer = _call("GET", f"{_account().letters}/{reference}")
    return report(content(answer, ErrorClass.CARRIER_DOWN))


def find(address: str, media_sha256: str) -> CarrierReport | None:  # noqa: ARG001
    """Look for the letter of an attempt; None: it is surely not there."""
    params = {f"metadata[{MARK}]": media_sha256, "limit": "1"}
    answer = _call("GET", _account().letters, params=params)
    rows = content(answer, ErrorClass.CARRIER_DOWN).get("data")
    if not isinstance(rows, list):
        raise DeliveryError(ErrorClass.CARRIER_DOWN, "the carrier's list is none")
    mine = [row for row in rows if _mark_of(row) == media_sha256]
    return report(mine[0]) if mine else None


def forget(reference: str) -> None:
    """Stop a letter that has not been printed yet.

    DeliveryError REJECTED where it is too late; no error where there is none.
    """
    try:
        _call("DELETE", f"{_account().letters}/{reference}")
    except DeliveryError as error:
        if "answers 404" not in str(error):
            raise


def report(letter: dict[str, Any]) -> CarrierReport:
    """Read from a letter how far it has come: the furthest of its events."""
    events = [
        event_word(str(event.get("name") or event.get("type") or ""))
        for event in letter.get("tracking_events") or []
        if isinstance(event, dict)
    ]
    status = event_word(str(letter.get("status") or ""))
    words = [*events, "deleted" if letter.get("deleted") else status]
    furthest = max(words, key=lambda word: _RANK.index(progress_of(word)[0]))
    return told(str(letter.get("id") or ""), furthest or "created")


def told(reference: str, word: str) -> CarrierReport:
    """Give the report of one event by its last word."""
    progress, error_class = progress_of(word)
    return CarrierReport(
        reference=reference[:120],
        status=word[:40],
        progress=progress,
        error_class=error_class,
    )


def event_word(name: str) -> str:
    """Give the last word of an event's name: letter.re-routed as re_routed."""
    last = name.rpartition(".")[2]
    return last.strip().lower().replace("-", "_").replace(" ", "_")


def progress_of(word: str) -> tuple[Progress, ErrorClass | None]:
    """Tell what an event means; one that we do not know moves nothing."""
    return _PROGRESS.get(word, _UNDERWAY)


def _account() -> _Account:
    url = urlsplit(settings.current().letters_url.get_secret_value())
    scheme, host = url.scheme.removeprefix("lob+"), url.netloc.rpartition("@")[2]
    path = url.path.rstrip("/") or "/v1"
    return _Account(unquote(url.username or ""), f"{scheme}://{host}{path}/letters")


def _fields(message: Message) -> list[tuple[str, str]]:
    certified = message.certified and settings.current().letters_certified
    return [
        ("color", "false"),
        ("double_sided", "true"),
        ("address_placement", "insert_blank_page"),
        ("use_type", "operational"),
        ("mail_type", "usps_first_class"),
        *([("extra_service", "certified")] if certified else []),
        ("metadata[delivery]", str(message.delivery_id)),
        (f"metadata[{MARK}]", _mark(message)),
    ]


def _mark(message: Message) -> str:
    """Give the attempt's mark: the hash of the token that only it has."""
    token = urlsplit(message.media_url).path.rpartition("/")[2]
    return hashlib.sha256(token.encode()).hexdigest()


def _mark_of(row: object) -> str:
    metadata = row.get("metadata") if isinstance(row, dict) else None
    return str(metadata.get(MARK)) if isinstance(metadata, dict) else ""


def _to(to: Block) -> list[tuple[str, str]]:
    if not to.streets:
        text = "The address has no line with a street or a PO box."
        raise DeliveryError(ErrorClass.REJECTED, text)
    return _party("to", to)


def _from() -> list[tuple[str, str]]:
    try:
        ours = address_block.block(
            settings.current().office_lines, fits=lambda _line: True
        )
    except AddressFault:
        text = "PMP_OFFICE_LINES is no address that the post would take"
        raise DeliveryError(ErrorClass.CONFIGURATION, text) from None
    return _party("from", ours)


def _party(name: str, party: Block) -> list[tuple[str, str]]:
    """Write an address in the API's fields; the street is the line above the town."""
    *above, street = party.streets
    company, second = (["", "", *above])[-2:]
    if not company:
        company, second = second, ""
    lines = {
        "name": party.name,
        "company": company,
        "address_line1": street,
        "address_line2": second,
        "address_city": party.city,
        "address_state": party.state,
        "address_zip": party.zip,
        "address_country": "US",
    }
    return [(f"{name}[{key}]", text) for key, text in lines.items() if text]


def _make(
    message: Message, fields: list[tuple[str, str]], seconds: float | None = None
) -> Answer:
    return _call(
        "POST",
        _account().letters,
        form=fields,
        files={"file": ("letter.pdf", message.pdf, "application/pdf")},
        headers={"Idempotency-Key": message.key},
        seconds=seconds,
    )


def _seconds_again() -> float:
    """Give how long a second call may take: both together always less than a lease."""
    chosen = settings.current()
    timeout, lease = chosen.channel_timeout_seconds, chosen.lease_seconds
    return min(timeout, (lease - timeout) / 2)


def _call(method: str, url: str, **options: Any) -> Answer:
    """Make one call; give a 2xx answer."""
    try:
        answer = carrier_calls.call(method, url, auth=(_account().key, ""), **options)
    except UnansweredError as error:
        raise carrier_calls.failure(method, error) from None
    if not 200 <= answer.status_code < 300:
        raise _refused(method, answer)
    return answer


def _refused(method: str, answer: Answer) -> DeliveryError:
    status, text = answer.status_code, f"carrier answers {answer.status_code}"
    if status in {408, 409}:  # it still works on the first of two same calls
        doubt = ErrorClass.IN_DOUBT if method == "POST" else ErrorClass.CARRIER_DOWN
        return DeliveryError(doubt, text)
    if status == 429 or status >= 500:
        return carrier_calls.refused(method, answer)
    code, words = _problem(answer)
    kind = ErrorClass.DOCUMENT if "file" in code else ErrorClass.REJECTED
    if status == 413:
        kind = ErrorClass.DOCUMENT
    elif status not in {400, 422} and method != "DELETE":
        # Our account or our address of theirs is wrong: the letter is not.
        kind = ErrorClass.CONFIGURATION
    return DeliveryError(kind, f"{text}: {words}"[:180] if words else text)


def _problem(answer: Answer) -> tuple[str, str]:
    """Read the company's own code and words of an error."""
    try:
        error = json.loads(answer.body)["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""
