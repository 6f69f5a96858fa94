"""What the settings about letters may be. Pure."""

from urllib.parse import urlsplit

from pmp.mail_settings import LOOPBACK


def check_address(url: str) -> None:
    """Check where letters go: folder: or lob+https://key@host; ValueError if not."""
    parts = urlsplit(url)
    if parts.scheme not in {"folder", "lob+https", "lob+http"}:
        raise ValueError("use folder: or lob+https://key@api.lob.com")
    if parts.scheme == "lob+http" and parts.hostname not in LOOPBACK:
        raise ValueError("lob+http is for this machine alone; use lob+https")
    if parts.scheme != "folder" and not parts.username:
        raise ValueError("give the carrier's key: lob+https://key@api.lob.com")


def office_lines(text: str) -> str:
    """Give the sender's lines without blank ones; ValueError unless 2 to 4."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 2 <= len(lines) <= 4:
        raise ValueError(
            f"{len(lines)} lines; the envelope's window shows 2 to 4, the last of them"
            " city, state and ZIP"
        )
    return "\n".join(lines)
