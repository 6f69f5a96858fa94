"""bench: the benchmarks that `make bench` runs."""

import click

from bench import __main__ as benchmarks


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Print limit, result and ratio of each part, measured in one run."""
    raise SystemExit(benchmarks.main(list(arguments)))
