"""The pages of a fax that came in, fetched from the carrier that has them.

A media address in a call-back is only followed to the carrier's own hosts, without
redirects, up to a size and for a time.
"""

from gateway import carrier_calls, channels, pages
from gateway.carrier_calls import TooLargeError, UnansweredError
from gateway.channels import fax_laml
from gateway.message import DeliveryError
from models import ErrorClass, InboundFax

_MAY_PASS = frozenset(
    {ErrorClass.CARRIER_DOWN, ErrorClass.THROTTLED, ErrorClass.CONFIGURATION}
)


class MediaError(Exception):
    """The pages of a fax could not be had; the text says why, in few words.

    `may_pass`: the carrier may well give them later.
    """

    def __init__(self, text: str, *, may_pass: bool = False) -> None:
        super().__init__(text)
        self.may_pass = may_pass


def pages_of(fax: InboundFax, media_url: str = "") -> bytes:
    """Fetch a fax's pages from the carrier that announced it; MediaError else."""
    reference = reference_of(fax)
    try:
        lists = channels.with_incoming(fax.source)
        if lists is not None:
            return lists.pages_of(reference)
        if fax.source == fax_laml.CARRIER and channels.with_receipts(fax.source):
            return _download(media_url or fax_laml.media_url(reference))
    except DeliveryError as error:
        may_pass = error.error_class in _MAY_PASS
        raise MediaError(str(error), may_pass=may_pass) from None
    raise MediaError("no carrier to ask")


def reference_of(fax: InboundFax) -> str:
    """Give a fax's reference at its carrier."""
    return str(fax.source_reference).removeprefix(f"{fax.source}:")


def _download(url: str) -> bytes:
    """Fetch from the carrier's hosts only, as much and as long as is allowed."""
    auth = fax_laml.credentials(url)
    if auth is None:
        raise MediaError("the address is not one of the carrier's")
    try:
        answer = carrier_calls.call(
            "GET", url, auth=auth if all(auth) else None, most=pages.LARGEST_FILE
        )
    except TooLargeError as error:
        raise MediaError(str(error)) from None
    except UnansweredError as error:
        raise MediaError(f"no answer ({error})", may_pass=True) from None
    status = answer.status_code
    if status != 200:
        busy = status >= 500 or status in {408, 429}
        raise MediaError(f"the carrier answers {status}", may_pass=busy)
    return answer.body
