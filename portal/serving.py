"""The portal on waitress: slow clients do not stall it, and bodies stay in memory."""

from typing import Any

from flask import Flask
from waitress.server import create_server

from pmp import settings

THREADS = 8
MEGABYTE = 1024 * 1024


def make_server(
    app: Flask,
    *,
    host: str = "",
    port: int = 0,
    threads: int = THREADS,
    listening: Any = None,
) -> Any:
    """Make the server, for an address or on a socket that listens; its run() blocks.

    Waitress spools large bodies to temporary files: its limits lie above ours, so that
    no patient data is written there. Only the proxy that the settings name is believed
    when it says who asks.
    """
    chosen = settings.current()
    largest = chosen.most_upload_megabytes + 1
    in_memory = 2 * largest * MEGABYTE
    return create_server(
        app,
        **({"sockets": [listening]} if listening else {"host": host, "port": port}),
        threads=threads,
        ident=None,
        max_request_body_size=largest * MEGABYTE,
        inbuf_overflow=in_memory,
        outbuf_overflow=in_memory,
        **_proxy(chosen.trusted_proxy),
    )


def _proxy(address: str) -> dict[str, Any]:
    if not address:
        return {"clear_untrusted_proxy_headers": True}
    return {
        "trusted_proxy": address,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }
