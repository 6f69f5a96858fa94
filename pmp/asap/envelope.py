"""What can be wrong with a file or a transaction as a whole (F… and W…)."""

from typing import NamedTuple

from pmp.asap.problems import Problem, Severity
from pmp.asap.programme import USUAL, Programme

MOST_PROBLEMS = 1000
"""So many problems of the file are kept; a broken file could have millions."""
MOST_FATAL = 100
"""So many fatal ones are kept whatever else there is; each says that all is refused."""


class Wording(NamedTuple):
    """A problem's sentence and remedy; {} takes the words of the case."""

    message: str
    fix: str


_SEND_AGAIN = "Export the file again and send the whole file."
_ASK_VENDOR = "Ask your pharmacy software's vendor to correct the export."

_CHOOSE = "Choose the file that your pharmacy software exports for the program."
_UNPACK = "Unpack it, and send the file that is inside."
REMEDIES = {
    "a ZIP archive": _UNPACK,
    "a gzip archive": _UNPACK,
    "a 7z or RAR archive": _UNPACK,
    "an encrypted file (PGP)": "Decrypt it, and send the file that is inside.",
    "the fixed columns of ASAP 1995": "Set your pharmacy software to export version"
    " {}. Its vendor can say where that is set, or update it.",
}
"""What to do with a file that is not ASAP, where choosing another is not all."""

WORDINGS: dict[str, Wording] = {
    "F01": Wording("The file is empty.", _SEND_AGAIN),
    "F02": Wording(
        "This is not an ASAP file: it looks like {}.",
        _CHOOSE,
    ),
    "F03": Wording(
        "Version {} of the standard is not accepted here; {} can be sent.",
        "Set your pharmacy software to export version {2}, and export the file again."
        " Its vendor can say where that is set.",
    ),
    "F04": Wording(
        "The character that ends segments{} is missing {}.",
        "Ask your pharmacy software's vendor to end every segment with it.",
    ),
    "F05": Wording("There is no pharmacy (PHA segment).", _SEND_AGAIN),
    "F06": Wording("The file is cut off: {}.", _SEND_AGAIN),
    "F07": Wording(
        "The trailer's control number (TT01) is “{}”, the header's (TH02) “{}”:"
        " parts of two files may be mixed.",
        _SEND_AGAIN,
    ),
    "F11": Wording(
        "This is {} (TH03 is {}), a reply to a submission and not a submission.",
        _CHOOSE,
    ),
    "F12": Wording(
        "After the trailer (TT segment) there is text that begins no new transaction"
        " (TH segment).",
        _SEND_AGAIN,
    ),
    "W01": Wording(
        "{} says {} segments, but there are {}.",
        "If records are missing, send them; else tell your software's vendor.",
    ),
    "W02": Wording("The pharmacy trailer (TP segment) is missing.", _ASK_VENDOR),
    "W03": Wording(
        "The header names {} as the character that ends segments (TH09); {} was used.",
        _ASK_VENDOR,
    ),
    "W04": Wording(
        "The text of the file is not plain UTF-8: {}. It was read all the same.",
        _ASK_VENDOR,
    ),
    "W05": Wording(
        "“{}” is not a segment of the standard. It was passed over.", _ASK_VENDOR
    ),
    "W07": Wording(
        "This is a test file (TH07 is T): it was checked, and nothing is stored.",
        "Send it as production (P) when it is ready.",
    ),
    "W08": Wording("Segment names are written in lower case.", _ASK_VENDOR),
    "W09": Wording(
        "A pharmacy says both that nothing was dispensed and what was dispensed.",
        "Send a zero report only for days without a dispensation.",
    ),
    "W10": Wording(
        "A {} segment stands where none belongs. It was passed over.", _ASK_VENDOR
    ),
    "W11": Wording("There is no dispensation for a patient (PAT).", _ASK_VENDOR),
    "W12": Wording("{} ({}) is {}; {} is expected.", _ASK_VENDOR),
    "W13": Wording("The sender (IS segment) is missing.", _ASK_VENDOR),
    "W15": Wording(
        "The header says that this file voids records (TH03 is 04), but a record asks"
        " for something else (DSP01 is {}). DSP01 was followed.",
        "Give 02 in DSP01 to void a record.",
    ),
}


class Journal:
    """The problems of a file that are of the file or fatal, in the order found.

    `windows_1252`: a segment was no UTF-8 and read in that older code.
    """

    def __init__(self, programme: Programme = USUAL) -> None:
        self.programme = programme
        self.problems: list[Problem] = []
        self.refused = False
        self.left_out = 0
        self.windows_1252 = False
        self._fatal = 0
        self._told: set[str] = set()

    def report(
        self,
        code: str,
        *words: object,
        place: tuple[int, int] = (0, 0),
        at: str = "",
        value: str = "",
        fix: str = "",
    ) -> bool:
        """Note a problem, if the programme wants it told; give whether it is fatal.

        `place` is segment number and byte offset, `at` like TP01; `fix` replaces the
        usual one.
        """
        severity = self.programme.severities[code]
        if severity is None:
            return False
        wording = WORDINGS[code]
        segment = at.rstrip("0123456789")
        self.add(
            Problem(
                code=code,
                severity=severity,
                segment=place[0],
                byte_offset=place[1],
                record=None,
                segment_id=segment,
                element="" if at == segment else at,
                value=value,
                message=wording.message.format(*words),
                fix=fix or wording.fix.format(*words),
            )
        )
        return severity is Severity.FATAL

    def once(self, code: str, *words: object, place: tuple[int, int] = (0, 0)) -> bool:
        """Note a problem at its first place only."""
        if code in self._told:
            return False
        self._told.add(code)
        return self.report(code, *words, place=place)

    def add(self, problem: Problem) -> None:
        """Keep a problem, if there are not too many of its kind."""
        fatal = problem.severity is Severity.FATAL
        self.refused = self.refused or fatal
        self._fatal += fatal
        room = len(self.problems) < MOST_PROBLEMS
        if room or (fatal and self._fatal <= MOST_FATAL):
            self.problems.append(problem)
        else:
            self.left_out += 1
