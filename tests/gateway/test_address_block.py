"""An address of record becomes what stands in the envelope's window, or is refused."""

import pytest

from gateway import windows
from gateway.windows import AddressFault


def lines(address: str) -> list[str]:
    return list(windows.block(address).lines)


@pytest.mark.parametrize(
    ("address", "printed"),
    [
        (
            (
                "Dr. Ana O'Brien, M.D.\n12 Main Street, Suite 3\n"
                "Hartford, Connecticut 06106"
            ),
            ["DR ANA OBRIEN MD", "12 MAIN ST STE 3", "HARTFORD CT 06106"],
        ),
        (
            "Elm City Drug\nAttention: J. Doe\nP.O. Box 123\nNew Haven, CT 065101234",
            ["ATTN J DOE", "ELM CITY DRUG", "PO BOX 123", "NEW HAVEN CT 06510-1234"],
        ),
        (
            (
                "A. Ruiz\nSuite 4B\n100 North Main Avenue West\n"
                "New York, New York 10001\nUSA"
            ),
            ["A RUIZ", "100 N MAIN AVE W STE 4B", "NEW YORK NY 10001"],
        ),
        (
            "A. Ruiz\n5 North Avenue\n#12\nWest Haven CT\n06516",
            ["A RUIZ", "5 NORTH AVE # 12", "WEST HAVEN CT 06516"],
        ),
        (
            "Łukasz Ñandú\nc/o Elm & Oak, Inc.\n12 1/2 Lake Street\nBristol\nCT 06010",
            ["ŁUKASZ ÑANDÚ", "C/O ELM & OAK INC", "12 1/2 LAKE ST", "BRISTOL CT 06010"],
        ),
        (
            "A. Ruiz\nRural Route 2 Box 5\nCanaan CT 06018-0001",
            ["A RUIZ", "RR 2 BOX 5", "CANAAN CT 06018-0001"],
        ),
        # Neither a name nor a street called so is abbreviated.
        (
            "Street Medical Center\n1 Court Street\nAvenue City WA 98001",
            ["STREET MEDICAL CENTER", "1 COURT ST", "AVENUE CITY WA 98001"],
        ),
    ],
)
def test_an_address_is_brought_into_the_form_of_the_post(
    address: str, printed: list[str]
) -> None:
    assert lines(address) == printed


def test_its_own_form_stays_as_it_is() -> None:
    once = lines("Dr. Ana Ruiz\n12 South Main Street Apartment 5\nHartford, CT 06106")

    assert lines("\n".join(once)) == once


def test_a_long_name_is_abbreviated_and_then_broken_at_a_word() -> None:
    name = "Connecticut Valley Orthopaedic and Rehabilitation Associates"
    found = lines(f"{name} of Greater Hartford\n12 Main Street\nHartford CT 06106")

    assert found == [
        "CT VALLEY ORTHOPAEDIC & REHAB ASSOC OF",
        "GREATER HARTFORD",
        "12 MAIN ST",
        "HARTFORD CT 06106",
    ]
    assert all(windows.width(line, 9) <= windows.current().to_width for line in found)


def test_a_unit_that_does_not_fit_beside_its_street_goes_above_it() -> None:
    found = lines(
        "A. Ruiz\n12345 Upper Quinnipiac Meadows Parkway Building 12\nHartford CT 06106"
    )

    assert found[1:3] == ["BLDG 12", "12345 UPPER QUINNIPIAC MEADOWS PKWY"]


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("", "There is no address"),
        ("Hartford CT 06106", "one line only"),
        ("A. Ruiz\n1 Main St\nHartford, CT", "Line 3, “HARTFORD CT”, has no ZIP"),
        ("A. Ruiz\n1 Main St\nHartford, CT 0610", "has no ZIP"),
        ("A. Ruiz\n1 Main St\nHartford 06106", "“HARTFORD” is not a state"),
        ("A. Ruiz\n1 Main St\nHartford QQ 06106", "Line 3, .*“QQ” is not a state"),
        ("A. Ruiz\n1 Main St\nCT 06106", "names no city"),
        ("王小明\n1 Main St\nHartford CT 06106", "Line 1 .*“王” .U.738B"),
        ("A.\x00Ruiz\n1 Main St\nHartford CT 06106", "Line 1 has a sign"),
        ("\n".join(["Line x"] * 6 + ["Hartford CT 06106"]), "takes 7 lines"),
        (f"{'Wunderkammer' * 8}\n1 Main St\nHartford CT 06106", "Line 1, .*too long"),
        (f"A. Ruiz\n1 {'Quinnipiac' * 5} St\nHartford CT 06106", "Line 2, .*too long"),
        (f"A. Ruiz\n1 Main St\n{'Hartford' * 6} CT 06106", "Line 3, .*too long"),
    ],
)
def test_what_cannot_be_shown_whole_is_refused_with_the_line(
    address: str, fault: str
) -> None:
    with pytest.raises(AddressFault, match=fault):
        windows.block(address)


def test_its_parts_are_there_for_a_carrier() -> None:
    block = windows.block("A. Ruiz\nSuite 4\n1 Main St\nHartford, CT 06106-1234")

    assert block.name == "A RUIZ"
    assert block.streets == ("1 MAIN ST STE 4",)
    assert (block.city, block.state, block.zip) == ("HARTFORD", "CT", "06106-1234")
