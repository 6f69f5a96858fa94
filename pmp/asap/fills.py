"""One fill of a synthetic state, element by element, and what may be wrong with it."""

from dataclasses import dataclass

from pmp.asap.cast import Draw, Person, pick
from pmp.asap.trade import Drug, Prescriber, Store

# What is wrong, at which element, and what stands there: each holds the record.
DEFECTS = (
    ("no last name", "PAT07", ""),
    ("no birth date", "PAT18", ""),
    ("impossible birth date", "PAT18", "19991332"),
    ("birth date in the future", "PAT18", "20991231"),
    ("no prescription number", "DSP02", ""),
    ("written after it was filled", "DSP03", "20991231"),
    ("impossible date written", "DSP03", "20260230"),
    ("filled in the future", "DSP05", "20991231"),
    ("fill number is no number", "DSP06", "X"),
    ("compound without ingredients", "DSP07", "06"),
    ("product number too short", "DSP08", "004060512"),
    ("product number all zeros", "DSP08", "00000000000"),
    ("quantity is 0", "DSP09", "0"),
    ("negative quantity", "DSP09", "-5"),
    ("quantity in words", "DSP09", "SIXTY"),
    ("days supply is 0", "DSP10", "0"),
    ("days supply left as a placeholder", "DSP10", "ENTER DAYS"),
    ("unknown status", "DSP01", "09"),
    ("no prescriber number", "PRE02", ""),
    ("prescriber number with a wrong check digit", "PRE02", "AX1234560"),
)


@dataclass(slots=True)
class Fill:
    """A fill at a pharmacy; `pat` and `pre` are segments, `dsp` the elements of DSP.

    `further` are segments that follow (CDI, AIR); `story` names a planted one.
    """

    store: Store
    person: Person
    pat: str
    dsp: tuple[str, ...]
    pre: str
    iso_day: str
    further: tuple[str, ...] = ()
    story: str = ""

    def with_elements(self, **elements: str) -> "Fill":
        """Give the fill with other elements of DSP: DSP09="30"."""
        dsp = list(self.dsp)
        for name, text in elements.items():
            dsp[int(name[3:]) - 1] = text
        return self._with(dsp=tuple(dsp))

    def on(self, day: str) -> "Fill":
        """Give it as filled and sold on another day, CCYYMMDD."""
        made = self.with_elements(DSP05=day, DSP17=day)
        made.iso_day = iso_of(day)
        return made

    def element(self, number: int) -> str:
        """Give an element of DSP by its number."""
        return self.dsp[number - 1]

    def write(self, outcome: str, why: str = "") -> None:
        """Write it on the pharmacy's page, with what is true of it."""
        dsp = "*".join(self.dsp)
        rest = "".join(self.further)
        self.store.texts.append(f"{self.pat}DSP*{dsp}~\n{self.pre}{rest}")
        self.store.further += len(self.further)
        self.store.rows.append(
            f"{self.person.key},{self.store.dea},{self.element(2)},{self.iso_day}"
            f",{self.element(1)},{outcome},{why},{self.story}\n"
        )

    def spoilt(self, random: Draw) -> tuple["Fill", str]:
        """Give it with one thing wrong, and what that is."""
        why, element, text = pick(random, DEFECTS)
        if element.startswith("DSP"):
            return self.with_elements(**{element: text}), why
        if element.startswith("PAT"):
            return self._with(pat=_changed(self.pat, element, text)), why
        return self._with(pre=_changed(self.pre, element, text)), why

    def as_compound(self, quantity: str) -> "Fill":
        """Give it as a compound of its product and a second ingredient."""
        product = self.element(8)
        parts = (
            f"CDI*1*01*{product}*{quantity}*01~\n",
            "CDI*2*01*00591551301*15*01~\n",
        )
        made = self.with_elements(DSP07="06", DSP08=f"99999{product[5:]}")
        made.further = parts
        return made

    def picked_up_by_another(self, serial: str) -> "Fill":
        """Give it with who picked it up, and the serial number of its form."""
        last, first = self.person.last, self.person.first
        air = f"AIR*CT*{serial}*CT*06*{serial}*03*{last}*{first[::-1]}***02~\n"
        made = self._with()
        made.further = (*self.further, air)
        return made

    def _with(
        self, *, dsp: tuple[str, ...] = (), pat: str = "", pre: str = ""
    ) -> "Fill":
        return Fill(
            self.store,
            self.person,
            pat or self.pat,
            dsp or self.dsp,
            pre or self.pre,
            self.iso_day,
            self.further,
            self.story,
        )


def fill_of(  # noqa: PLR0913 - what a pharmacy writes down
    store: Store,
    person: Person,
    prescriber: Prescriber,
    drug: Drug,
    *,
    written: str,
    filled: str,
    random: Draw,
    number: str = "",
    story: str = "",
) -> Fill:
    """Give an original fill; days are CCYYMMDD."""
    number = number or store.next_prescription()
    dsp = (
        f"00*{number}*{written}*{drug.refills}*{filled}*0*{drug.supply}*05*00"
        f"*{store.staff}*04*{filled}"
    )
    return Fill(
        store=store,
        person=person,
        pat=person.as_written_by(store.number, store.phone, random),
        dsp=tuple(dsp.split("*")),
        pre=store.segment_of(prescriber),
        iso_day=iso_of(filled),
        story=story,
    )


def iso_of(day: str) -> str:
    """Write CCYYMMDD with hyphens."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def _changed(segment: str, element: str, text: str) -> str:
    parts = segment.removesuffix("~\n").split("*")
    parts[int(element[3:])] = text
    return "*".join(parts) + "~\n"
