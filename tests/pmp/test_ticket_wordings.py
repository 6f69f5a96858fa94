import pytest

from models import TicketOutcome, TicketProblem
from pmp import settings, ticket_wordings

OURS = ticket_wordings.load("")


@pytest.mark.parametrize("outcome", list(TicketOutcome))
def test_every_outcome_has_a_wording_for_every_kind(outcome: TicketOutcome) -> None:
    for problem in TicketProblem:
        assert ticket_wordings.fitting(OURS, outcome, problem)


def test_those_that_name_the_kind_come_first_and_others_are_left_out() -> None:
    found = ticket_wordings.fitting(OURS, TicketOutcome.VOIDED, TicketProblem.DUPLICATE)

    assert [each.title for each in found] == [
        "It was reported twice",
        "It should not be there",
    ]


def test_a_wording_is_filled_with_row_pharmacy_and_phone() -> None:
    [wording] = ticket_wordings.read(
        "# noise\n[upheld] As it is\n{pharmacy}: {row}.\n\nCall {phone}.\n"
    )

    text = ticket_wordings.filled(
        wording, row="D-7K3Q9XT", pharmacy="{phone}", phone="(860) 713-6073"
    )

    assert text == "{phone}: D-7K3Q9XT.\n\nCall (860) 713-6073."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Just text", "line 1: a text without a heading"),
        ("[upheld As it is\nx", "line 1: write"),
        ("\n[gone] As it is\nx", "line 2: 'gone' is not a valid TicketOutcome"),
        ("[upheld: odd] As it is\nx", "'odd' is not a valid TicketProblem"),
        ("[upheld] As it is\n", "1 to 2000 letters"),
        ("[upheld] As it is\n{patient}", "nothing is called 'patient'"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        ticket_wordings.read(text)


def test_a_file_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        settings.Settings(
            secret_key="s" * 40,  # type: ignore[arg-type]
            document_key="d" * 40,  # type: ignore[arg-type]
            ticket_wordings="/nowhere/wordings.txt",
        )
