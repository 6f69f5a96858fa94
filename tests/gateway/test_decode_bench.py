"""A slice of `bench decode`: our papers after a simulated fax, with the same noise.

The whole of it, a thousand pages of each, is `python -m bench decode`.
"""

import pytest

from bench import decode

SEEDS = range(7)


@pytest.mark.parametrize("paper", decode.PAPERS)
@pytest.mark.parametrize(("line", "least"), [("normal", 7), ("harsh", 6)])
def test_our_papers_are_read_after_a_bad_fax(paper: str, line: str, least: int) -> None:
    found = decode.tally(paper, line, SEEDS)

    assert found.read >= least, found.missed
    assert found.wrong == 0


def test_what_is_not_on_the_page_would_be_told() -> None:
    assert decode.counts_as_code("RPL-00000-00000")
    assert not decode.counts_as_code("RPL-00000-00001")
    assert not decode.counts_as_code("USP-00000-00000")
    assert not decode.counts_as_code("https://example.org")
