"""What this programme asks of submissions, as its settings say."""

from functools import lru_cache

from pmp import asap, settings
from pmp.asap.programme import parse_profile, parse_severities, parse_versions


def programme() -> asap.Programme:
    """Give the programme's own rules for `asap.read` and `asap.recheck`."""
    chosen = settings.current()
    return _programme(
        chosen.asap_versions,
        chosen.asap_profile,
        chosen.asap_severities,
        keep=chosen.keep_social_security_numbers,
    )


@lru_cache(maxsize=8)
def _programme(
    versions: str, profile: str, severities: str, *, keep: bool
) -> asap.Programme:
    return asap.Programme(
        accepted=parse_versions(versions),
        uses=parse_profile(profile),
        gravities=parse_severities(severities),
        keeps_social_security_numbers=keep,
    )
