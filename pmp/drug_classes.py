"""What a drug product is, told from its ingredients, dosage form and route.

Pure. Gives the class, whether it is long-acting, and its row in an MME rule set. Where
sources disagree on a name the first rule that fits wins, so the order below matters.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_WORDS = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
OPIOIDS: list[str] = _WORDS["opioids"]
# In this order a product gets its class: buprenorphine is told apart from the opioids,
# and an opioid counts as one whatever it is combined with (carisoprodol and codeine).
_CLASSES: dict[str, list[str]] = {
    "buprenorphine": _WORDS["classes"]["buprenorphine"],
    "opioid": OPIOIDS,
    **_WORDS["classes"],
}
# Sleep medicines that bind where benzodiazepines do, and carisoprodol's relatives: with
# an opioid and a benzodiazepine they make the combination that warnings name.
TRIO_SEDATIVES: frozenset[str] = frozenset(_WORDS["with_opioid_and_benzodiazepine"])
_COUGH_AND_COLD = re.compile(
    r"\b(?:promethazine|guaifenesin|chlorpheniramine|homatropine|pseudoephedrine"
    r"|phenylephrine|brompheniramine|dexbrompheniramine|triprolidine)\b"
)
_NO_FACTOR_FORM = re.compile(
    r"inject|powder|implant|intraven|intramusc|intrathec|epidural|subcutan|infusion"
    r"|crystal|iontophor"
)
# What names a salt or joins two drugs, and tells no drug from another.
_SALTS: frozenset[str] = frozenset(_WORDS["salts"])
_LONG_ACTING_FORM = re.compile(
    r"extended|sustained|controlled.release|\ber\b|\bpatch|transdermal"
)
_LONG_ACTING_DRUGS: frozenset[str] = frozenset(_WORDS["long_acting"])


@dataclass(frozen=True)
class Kind:
    """`drug_class`: a word of `models.DrugClass`. `mme_key`: empty for no factor."""

    drug_class: str
    long_acting: bool
    mme_key: str


def kind_of(ingredient: str, form: str) -> Kind:
    """Classify a product from its ingredients and its form and route, in any case.

    `form` is any text that names them, such as "TABLET, EXTENDED RELEASE ORAL".
    """
    words = words_of(ingredient)
    shape = form.lower()
    drug_class = next(
        (word for word, names in _CLASSES.items() if words.intersection(names)), "other"
    )
    return Kind(
        drug_class,
        bool(_LONG_ACTING_FORM.search(shape) or words & _LONG_ACTING_DRUGS),
        _mme_key(words, shape, ingredient.lower()) if drug_class == "opioid" else "",
    )


def is_of(ingredient: str, drug_class: str) -> bool:
    """Tell whether an ingredient is one of a class."""
    return not words_of(ingredient).isdisjoint(_CLASSES.get(drug_class, ()))


def names_in(ingredient: str, drug_class: str) -> tuple[str, ...]:
    """Give the drugs of a class that an ingredient names, without their salts.

    In alphabetical order; the words as they stand where the class knows none of them.
    """
    words = words_of(ingredient)
    known = words.intersection(_CLASSES.get(drug_class, ()))
    return tuple(sorted(known or words - _SALTS))


def product_key(ingredient: str, strength: str, form: str) -> str:
    """Give a text that is equal for the same ingredients, strength and form.

    One maker's film-coated tablet is another's tablet, and salts are written in full or
    short; extended release stays apart. `strength` is with its unit.
    """
    words = " ".join(sorted(words_of(ingredient) - _SALTS))
    shape = (re.findall(r"[a-z]+", form.lower()) or [""])[0]
    release = " extended" if _LONG_ACTING_FORM.search(form.lower()) else ""
    return f"{words} {strength.lower()} {shape}{release}".upper()


@lru_cache(maxsize=4096)
def words_of(ingredient: str) -> frozenset[str]:
    """Split an ingredient's name into words, lower case."""
    return frozenset(re.findall(r"[a-z]+", ingredient.lower()))


def _mme_key(words: frozenset[str], shape: str, ingredient: str) -> str:
    name = next(name for name in OPIOIDS if name in words)
    if _COUGH_AND_COLD.search(ingredient) or _NO_FACTOR_FORM.search(shape):
        return ""
    if name == "fentanyl":
        return _fentanyl_key(shape)
    if name == "butorphanol" and not re.search(r"nasal|spray", shape):
        return ""
    return name


def _fentanyl_key(shape: str) -> str:
    if re.search(r"transdermal|patch", shape):
        return "fentanyl_patch"
    if "nasal" in shape:
        return "fentanyl_nasal"
    if re.search(r"tablet|lozenge|troche", shape):
        return "fentanyl_buccal_sl_loz"
    if re.search(r"film|spray|oral", shape):
        return "fentanyl_film_oralspray"
    return ""
