"""What stories lean on: pages of the portal, a worker's queue, carriers that answer."""

import pytest

from models import ThresholdCase
from tests.gateway.conftest import Clock, carrier, now, work
from tests.portal.conftest import app, browser
from tests.servers.carrier import Carrier
from tests.stories.sent_case import cross

__all__ = ["app", "browser", "carrier", "now", "sent"]


@pytest.fixture
def sent(now: Clock, carrier: Carrier) -> ThresholdCase:
    """Give a case whose faxes the carrier has taken."""
    case = cross(day=now().date())
    work()
    return case
