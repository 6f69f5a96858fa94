"""Judging elements apart from their record, for the quick way through a file."""

from collections.abc import Mapping
from datetime import date

from pmp.asap.draft import Draft
from pmp.asap.judgement import problems_of
from pmp.asap.programme import Programme
from pmp.asap.records import parse
from pmp.asap.seams import Seams


class Judge:
    """Applies the rules of a programme to a few elements that stand for themselves."""

    def __init__(
        self, version: str, element: bytes, today: date, programme: Programme
    ) -> None:
        self.element = element.decode("latin-1")
        self._version, self._today, self._programme = version, today, programme
        self._seams = Seams(element)

    def parse(self, raw: bytes, segment: str) -> dict[str, str]:
        """Take a segment apart, what the programme does not use left out."""
        part, not_used = self.element.encode("latin-1"), self._programme.not_used
        return parse(raw, part, segment, self._version, not_used)

    def is_glued(self, raw: bytes) -> bool:
        """Whether a segment runs into another one."""
        return self._seams.first(raw) is not None

    def passes(self, given: Mapping[str, str], segment: str = "") -> bool:
        """Whether no rule objects to the elements, or to anything in the segment."""
        not_used = self._programme.not_used
        draft = Draft(
            {
                each: text
                for each, text in given.items()
                if text and each not in not_used
            },
            self._version,
            self._today,
            places={segment: (0, 0)} if segment else {},
            programme=self._programme,
        )
        return not any(
            problem.element in given or problem.segment_id == segment
            for problem in problems_of(draft, number=None)
        )
