"""What this programme asks of submissions, as its settings say."""

from pmp import asap, settings


def programme() -> asap.Programme:
    """Give the programme's own rules for `asap.read` and `asap.recheck`."""
    chosen = settings.current()
    return asap.Programme(accepted=frozenset(chosen.asap_versions.split(",")))
