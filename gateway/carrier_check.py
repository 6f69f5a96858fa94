"""What is wrong with the fax carrier that the settings name, found without a fax.

Whether the carrier reaches us is seen by it alone: what can be looked at from here is
looked at, and the rest is said.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from gateway import carrier_calls, channels
from gateway.carrier_calls import UnansweredError
from gateway.channels import fax_laml, fax_sinch
from gateway.channels.listed_faxes import Finding
from gateway.message import DeliveryError
from models import ChannelName, ErrorClass
from pmp import settings

_WORDS = {
    ErrorClass.CONFIGURATION: "check the names and the path in PMP_FAX_URL",
    ErrorClass.CARRIER_DOWN: "check its address, this machine's network and firewall",
    ErrorClass.THROTTLED: "it asks us to wait: try again later",
}


def findings() -> Iterator[Finding]:
    """Find out one thing after another, each as soon as it is known."""
    channel = channels.for_channel(ChannelName.FAX)
    chosen = settings.current()
    if chosen.fax_url.get_secret_value().startswith("folder:"):
        text = "PMP_FAX_URL is folder: faxes become files there, and nothing is sent."
        yield Finding(is_good=True, text=text)
        return
    if isinstance(channel, channels.CheckedChannel):
        yield from _tried(channel)
    else:
        text = f"{channel.CARRIER} cannot be tried without sending."
        yield Finding(is_good=None, text=text)
    if channel.CARRIER == fax_laml.CARRIER:
        yield from _about_laml(chosen)
    if channel.CARRIER == fax_sinch.CARRIER:
        yield from _about_sinch(chosen)


def _tried(channel: channels.CheckedChannel) -> Iterator[Finding]:
    try:
        yield from channel.check()
    except DeliveryError as error:
        advice = _WORDS.get(error.error_class, "see its documentation")
        yield Finding(is_good=False, text=f"The carrier: {error}: {advice}.")


def _about_laml(chosen: settings.Settings) -> Iterator[Finding]:
    """Look at what a carrier needs that fetches from us and calls us."""
    if not chosen.fax_signing_key.get_secret_value():
        text = "PMP_FAX_SIGNING_KEY is empty: every call-back will be refused."
        yield Finding(is_good=False, text=text)
    if chosen.public_url.startswith("http:"):
        text = "PMP_PUBLIC_URL is not https: the carrier fetches faxes there."
        yield Finding(is_good=False, text=text)
    yield _answers_here(chosen.public_url)
    yield Finding(
        is_good=None,
        text=f"Whether the carrier reaches {chosen.public_url} cannot be told from "
        "here: fax a page to yourself, and see on Deliveries that it was fetched.",
    )
    for host in chosen.fax_media_hosts.replace(",", " ").split():
        yield _about_host(host)


def _about_sinch(chosen: settings.Settings) -> Iterator[Finding]:
    if not fax_sinch.is_reachable(chosen.public_url):
        text = "No public address is needed: the carrier is asked what became of faxes."
        yield Finding(is_good=True, text=text)
        return
    seen = _answers_here(chosen.public_url)
    # No fax hangs on it here: the carrier is asked as well.
    yield seen if seen.is_good else replace(seen, is_good=None)
    yield Finding(
        is_good=None,
        text=f"The carrier is told to report to {chosen.public_url}. Whether it gets "
        "there cannot be told from here; where it does not, it is asked.",
    )
    if not chosen.fax_signing_key.get_secret_value():
        text = "PMP_FAX_SIGNING_KEY is empty: faxes that come in are asked for only."
        yield Finding(is_good=None, text=text)


def _answers_here(public_url: str) -> Finding:
    """Call our own media address as the carrier does, with a token that is none."""
    try:
        answer = carrier_calls.call("GET", f"{public_url}/media/none", auth=None)
    except UnansweredError as error:
        why = "its certificate is not valid" if error.untrusted else f"{error}"
        text = f"{public_url} does not answer from here ({why})."
        return Finding(
            is_good=False, text=f"{text} Check the proxy and its certificate."
        )
    if answer.status_code != 410:
        text = (
            f"{public_url}/media/… answers {answer.status_code}, not as this program."
        )
        return Finding(
            is_good=False, text=f"{text} Check the proxy and PMP_PUBLIC_URL."
        )
    return Finding(is_good=True, text=f"{public_url} is this program, seen from here.")


def _about_host(host: str) -> Finding:
    if urlsplit(f"//{host}").netloc != host or "@" in host:
        text = (
            f"PMP_FAX_MEDIA_HOSTS: {host} is no host: write it like files.example.org."
        )
        return Finding(is_good=False, text=text)
    text = f"Faxes that came in may be fetched from {host} too, without our token."
    return Finding(is_good=True, text=text)
