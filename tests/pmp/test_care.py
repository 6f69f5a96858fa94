import pytest

from pmp import care


@pytest.mark.parametrize(
    ("treatment", "diagnosis", "words"),
    [
        ("", "", set()),
        ("01", "M54.5", set()),
        ("03", "", {"cancer"}),
        ("04", "", {"hospice"}),
        ("05", "C50.911", {"cancer", "hospice"}),
        ("", "C00", {"cancer"}),
        ("", "C97", {"cancer"}),
        ("", "C7A00", {"cancer"}),
        ("", "c61", {"cancer"}),
        ("99", "G89.3", {"cancer"}),
        ("", "G893", {"cancer"}),
        ("", "Z51.5", {"hospice"}),
        ("", "Z51.11", set()),  # chemotherapy alone names no diagnosis
        ("", "D05.1", set()),
        ("", "Z85.3", set()),  # it was cancer once
        ("02", "F11.20", set()),
        ("", "CANCER?", set()),
    ],
)
def test_treatment_and_diagnosis_say_what_a_fill_was_for(
    treatment: str, diagnosis: str, words: set[str]
) -> None:
    column = care.care_of(treatment, diagnosis)

    assert care.read(column) == words
    assert column != ""
