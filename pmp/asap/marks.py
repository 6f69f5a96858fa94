"""Which records of a file are the same as an earlier one."""

_REMEMBERED = 50_000


class Marks:
    """The marks of the last fifty to hundred thousand records, and how many came again.

    A mark stands for the pharmacy and the text of a record.
    """

    def __init__(self) -> None:
        self.recent: set[int] = set()
        self.older: set[int] = set()
        self.duplicates = 0

    def make_room(self) -> int:
        """Give how many marks `recent` has room for; if it was full, for all again."""
        if len(self.recent) >= _REMEMBERED:
            self.recent, self.older = set(), self.recent
        return _REMEMBERED - len(self.recent)

    def is_new(self, mark: int) -> bool:
        """Remember a mark; False if it was there."""
        self.make_room()
        again = mark in self.recent or mark in self.older
        self.recent.add(mark)
        return not again
