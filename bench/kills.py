"""Thirty workers killed under load (scale 1): nothing lost, nothing twice unmarked.

What is measured is no speed: how many of 240 messages are with their carrier in the
end, and how many of them once or marked as a possible duplicate. All must be.
"""

import io
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

from bench import Measure
from bench._engines import each_engine, program
from bench._kills import Outcome, trial
from pmp import settings

PART = "kills"
KILLS = 30
MESSAGES = 240
SEED = 6


def run(scale: float) -> list[Measure]:
    """Kill workers on SQLite, and on Postgres where one answers."""
    measures: list[Measure] = []
    for engine, url in each_engine():
        with program(url), tempfile.TemporaryDirectory() as folder:
            beside = url if url.startswith("postgresql") else ""
            with settings.changed(data_dir=Path(folder), queue_url=beside):
                # The carrier's server tells of each worker that hung up as it died.
                with redirect_stderr(io.StringIO()):
                    outcome = trial(
                        kills=max(1, round(KILLS * scale)),
                        messages=max(8, round(MESSAGES * scale)),
                        seed=SEED,
                    )
        measures += _measures(engine, outcome)
    return measures


def _measures(engine: str, outcome: Outcome) -> list[Measure]:
    count = outcome.messages
    sent, once = count - outcome.lost, count - outcome.unmarked
    told = f"{outcome.kills} kills, {engine}"
    return [
        Measure(PART, f"sent, {told}", sent, count, sent / count, 1, "messages"),
        Measure(
            PART, f"once or marked, {told}", once, count, once / count, 1, "messages"
        ),
        _told(f"twice, {told}", outcome.twice),
        _told(f"marked, {told}", outcome.doubted),
        _told(f"attempts, {told}", outcome.attempts),
    ]


def _told(name: str, result: int) -> Measure:
    """Give a measure that has no target."""
    return Measure(PART, name, result, result, 1.0, 0, "messages")
