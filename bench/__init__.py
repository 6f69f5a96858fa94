"""Benchmarks: each result beside the limit that is measured in the same run.

A part is a module of this package with `run(scale: float) -> list[Measure]`; scale 1
is the usual size, less is quicker.  Only ratios mean anything: an absolute time
changes from machine to machine.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One result: `ratio` of `result` to `limit` must be at least `target`.

    A target below zero turns the sense around: `ratio` must be at most -target. One of
    zero is none: the result is told and judged by nobody.
    `unit` is that of result and limit.
    """

    part: str
    name: str
    result: float
    limit: float
    ratio: float
    target: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        if self.target < 0:
            return self.ratio <= -self.target
        return self.ratio >= self.target
