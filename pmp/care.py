"""What a fill was for, as far as threshold rules may leave it out: cancer, hospice.

Pure but for its words. Told from the ASAP elements DSP24 (treatment type: 03 cancer
pain, 04 palliative care, 05 hospice or end-of-life care) and DSP25 (diagnosis, ICD-10:
C00 to C97 malignant neoplasms, G89.3 neoplasm related pain, Z51.5 palliative care). A
diagnosis itself is not kept beside the fill: only what a rule may ask.
"""

import re
from collections.abc import Iterable

from models import Care

_TREATMENTS = {"03": Care.CANCER, "04": Care.HOSPICE, "05": Care.HOSPICE}
_DIAGNOSES = (
    (re.compile(r"C[0-9][0-9A-Z]"), Care.CANCER),
    (re.compile(r"G893"), Care.CANCER),
    (re.compile(r"Z515"), Care.HOSPICE),
)


def care_of(treatment: str, diagnosis: str) -> str | None:
    """Give the words of `Care` that a record says, as a column keeps them; or None.

    `treatment` is DSP24 and `diagnosis` DSP25, with or without its dot.
    """
    plain = diagnosis.replace(".", "").strip().upper()
    found = {care for begins, care in _DIAGNOSES if begins.match(plain)}
    if treatment in _TREATMENTS:
        found.add(_TREATMENTS[treatment])
    return written(found) or None


def written(words: Iterable[Care]) -> str:
    """Write words of `Care` as a column keeps them."""
    return " ".join(sorted(words))


def read(column: str | None) -> frozenset[str]:
    """Read what a column keeps."""
    return frozenset((column or "").split())
