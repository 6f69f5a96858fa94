"""What need not be reported: it is set aside and said."""

from collections.abc import Mapping

from pmp import asap
from pmp.drugs import Audience, ProductFacts, audience_of
from pmp.uploads.remarks import Remark

# A supply of 48 hours or less is not reported (Regs. Conn. State Agencies 21a-254-2).
SHORTEST_DAYS = 3


def not_reportable(
    reported: asap.Dispensing, products: Mapping[str, ProductFacts]
) -> Remark | None:
    """Say why a record is set aside: a short supply, or what nobody reports."""
    facts = products.get(reported.ndc)
    audience = audience_of(facts) if facts else Audience.EVERYONE
    # The exemption is of controlled substances: an antidote has no days of supply.
    is_short = reported.days_supply < SHORTEST_DAYS
    if is_short and audience is not Audience.ADMINISTRATORS:
        message = "A supply of 48 hours or less is not reported. It was set aside."
        value = str(reported.days_supply)
        return Remark("P06", message, "", "DSP10", value)
    if facts and audience is Audience.NOBODY:
        message = f"{facts.drug_name} is not reported. The record was set aside."
        return Remark("P07", message, "", "DSP08", reported.ndc)
    return None
