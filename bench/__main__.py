"""Run benchmarks: python -m bench [PART…] [--json] [--scale S]."""

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import bench
from bench import Measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each part's measures; give 1 if a target is missed, else 0."""
    parser = argparse.ArgumentParser(prog="bench", description=bench.__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(_parts()))
    parser.add_argument("--json", action="store_true", help="one JSON object a measure")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the usual size")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.parts) - set(_parts())
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    measures: list[Measure] = []
    for part in chosen.parts or _parts():
        found = importlib.import_module(f"bench.{part}").run(chosen.scale)
        _print(found, as_json=chosen.json)
        measures += found
    return 0 if all(measure.met for measure in measures) else 1


def _parts() -> list[str]:
    return sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.name.startswith("_")
    )


def _print(measures: Iterable[Measure], *, as_json: bool) -> None:
    for measure in measures:
        if as_json:
            print(json.dumps({**asdict(measure), "met": measure.met}))
            continue
        told = f"{measure.part:<11} {measure.name:<34} {measure.result:>12,.1f}"
        if not measure.target:
            print(f"{told} {measure.unit}, no target", flush=True)
            continue
        sense = "at most" if measure.target < 0 else "at least"
        print(
            f"{told} of {measure.limit:>12,.1f} {measure.unit:<12}"
            f" ratio {measure.ratio:.3f}, {sense} {abs(measure.target):.3f}"
            f" {'met' if measure.met else 'MISSED'}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
