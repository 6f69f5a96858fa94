"""What can be wrong with a file or a transaction as a whole (F… and W…)."""

from typing import NamedTuple

from pmp.asap.problems import Problem, Severity

MOST_PROBLEMS = 1000
"""So many problems of the file are kept; a broken file could have millions."""


class Wording(NamedTuple):
    """A problem's sentence and remedy; {} takes the words of the case."""

    message: str
    fix: str


_SEND_AGAIN = "Export the file again and send the whole file."
_ASK_VENDOR = "Ask your pharmacy software's vendor to correct the export."

WORDINGS: dict[str, Wording] = {
    "F01": Wording("The file is empty.", _SEND_AGAIN),
    "F02": Wording(
        "This is not an ASAP file: it looks like {}.",
        "Choose the file that your pharmacy software exports for the program.",
    ),
    "F03": Wording(
        "Version {} of the standard is not accepted here; {} can be sent.",
        "Set your pharmacy software to an accepted version and export again.",
    ),
    "F04": Wording(
        "The character that ends segments is missing: {}.",
        _ASK_VENDOR,
    ),
    "F05": Wording("There is no pharmacy (PHA segment).", _SEND_AGAIN),
    "F06": Wording("The file is cut off: {}.", _SEND_AGAIN),
    "F07": Wording(
        "The trailer's control number (TT01) is “{}”, the header's (TH02) “{}”:"
        " parts of two files may be mixed.",
        _SEND_AGAIN,
    ),
    "F11": Wording(
        "This is a reply to a submission (TH03 is {}), not a submission.",
        "Choose the file that your pharmacy software exports for the program.",
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
    "W04": Wording("The file is not plain text in UTF-8: {}.", _ASK_VENDOR),
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
    "W12": Wording("{} “{}” is not valid.", _ASK_VENDOR),
    "W13": Wording("The sender (IS segment) is missing.", _ASK_VENDOR),
}


class Journal:
    """The problems of a file that belong to no record, in the order found."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.refused = False
        self.left_out = 0
        self._told: set[str] = set()

    def report(
        self,
        code: str,
        *words: object,
        place: tuple[int, int] = (0, 0),
        at: str = "",
        value: str = "",
    ) -> None:
        """Note a problem; `place` is segment number and byte offset, `at` like TP01."""
        severity = Severity.FATAL if code.startswith("F") else Severity.WARNING
        message, fix = WORDINGS[code]
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
                message=message.format(*words),
                fix=fix,
            )
        )

    def once(self, code: str, *words: object, place: tuple[int, int] = (0, 0)) -> None:
        """Note a problem at its first place only."""
        if code not in self._told:
            self._told.add(code)
            self.report(code, *words, place=place)

    def add(self, problem: Problem) -> None:
        """Keep a problem; beyond the first thousand only fatal ones are kept."""
        fatal = problem.severity is Severity.FATAL
        self.refused = self.refused or fatal
        if fatal or len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.left_out += 1
