"""How a person saw a delivery, so that nothing is done about one that has moved on."""

from models import Delivery, DeliveryEvent
from pmp.deliveries.lines import history, last_step
from pmp.errors import ConflictError
from pmp.wording import us_time, words


def mark(delivery: Delivery) -> str:
    """Give a word for how a delivery stands now; it goes back in as `seen`."""
    last = last_step(delivery)
    return f"{delivery.revision}-{last.id if last else 0}"


def require(delivery: Delivery, seen: str) -> None:
    """Refuse what somebody decides about a delivery that has changed since they saw it.

    ConflictError, which says what has happened meanwhile.
    """
    revision, _, step = seen.partition("-")
    if not seen or revision == str(delivery.revision):
        return
    steps = [each for each in history(delivery) if each.id > _whole(step)]
    told = "; ".join(_step_words(each) for each in steps[-3:]) or "it has changed"
    raise ConflictError(f"Nothing was done: meanwhile {told}. Look at it again.")


def _step_words(step: DeliveryEvent) -> str:
    state = words(step.to_state).lower()
    return f"{us_time(step.at)} {step.source}: {step.note or state}"


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
