"""The timeline: what it shows, and that it survives paper and fax."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from pmp import chart
from pmp.chart import Bar, Points
from pmp.mme import Step

SINCE = date(2025, 11, 24)
UNTIL = date(2026, 11, 23)
SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "rect", "line", "path", "text"}


def bar(
    drug: str = "OXYCODONE HCL 10 MG TAB",
    drug_class: str = "opioid",
    first: str = "2026-03-01",
    days: int = 30,
) -> Bar:
    return Bar(drug, drug_class, date.fromisoformat(first), days)


def points(
    *bars: Bar, value: str = "60", since: date = SINCE, until: date = UNTIL
) -> Points:
    return Points(
        since=since,
        until=until,
        bars=bars,
        steps=[Step(since, until, Decimal(value), at_least=False)],
        now=Decimal(value),
        peak=Decimal(value),
        peak_on=since,
    )


def drawn(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter())  # noqa: S314 - our own drawing


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in drawn(svg) if element.tag == f"{SVG}text"]


def every_class() -> list[Bar]:
    return [bar(f"DRUG {name}", name) for name in chart.CLASSES]


def test_only_plain_elements_and_black_and_white() -> None:
    svg = chart.svg(points(*every_class()))

    assert {element.tag.removeprefix(SVG) for element in drawn(svg)} <= ALLOWED
    colours = {
        element.attrib[name]
        for element in drawn(svg)
        for name in ("fill", "stroke")
        if name in element.attrib
    }
    assert colours <= {"black", "white", "none"}
    for banned in ("style=", "class=", "url("):
        assert banned not in svg


def test_lines_and_letters_are_thick_enough_for_a_fax() -> None:
    svg = chart.svg(points(*every_class()))

    assert min(map(float, re.findall(r'stroke-width="([\d.]+)"', svg))) >= 1
    assert min(map(float, re.findall(r'font-size="([\d.]+)"', svg))) >= 8.5


def test_each_class_has_a_pattern_of_its_own_and_a_word_in_the_legend() -> None:
    inside = {}
    for name in chart.CLASSES:
        svg = chart.svg(points(bar(drug_class=name), value="0"))
        shapes = [e for e in drawn(svg) if e.tag in {f"{SVG}rect", f"{SVG}path"}]
        inside[name] = [
            (e.get("fill"), e.get("d"), e.get("width")) for e in shapes[1:3]
        ]
        assert name in texts(svg)
    assert len({str(shapes) for shapes in inside.values()}) == len(chart.CLASSES)


def test_rows_are_grouped_by_class_and_named_once() -> None:
    svg = chart.svg(
        points(
            bar("ALPRAZOLAM 1 MG TAB", "benzodiazepine"),
            bar("OXYCODONE HCL 10 MG TAB", first="2026-03-01"),
            bar("OXYCODONE HCL 10 MG TAB", first="2026-03-31"),
            bar("ADIPEX 30 MG CAP", "stimulant"),
        )
    )

    names = [text for text in texts(svg) if text.endswith(("TAB", "CAP"))]
    assert names == [
        "OXYCODONE HCL 10 MG TAB",
        "ALPRAZOLAM 1 MG TAB",
        "ADIPEX 30 MG CAP",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "HYDROCODONE BITART-APAP 10-325 MG TAB",
        "TESTOSTERONE CYPIONATE 200 MG/ML INJECTABLE VIAL 10 ML LONG NAME",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    ],
)
def test_names_never_touch_the_plot(name: str) -> None:
    svg = chart.svg(points(bar(name)))

    plot = min(
        float(element.attrib["x1"])
        for element in drawn(svg)
        if element.get("stroke-dasharray") == "1 4"  # a month
    )
    first_word = name.split(maxsplit=1)[0][:4]
    lines = [text for text in texts(svg) if text.startswith(first_word)]
    assert lines
    assert all(2 + chart.text_width(line) < plot for line in lines)


def test_a_bar_starts_at_its_fill_and_covers_its_days() -> None:
    year = points(
        bar(first="2026-01-01", days=365), since=date(2026, 1, 1), until=UNTIL
    )
    half = points(
        bar(first="2026-01-01", days=10),
        since=date(2026, 1, 1),
        until=date(2026, 1, 20),
    )

    def width(svg: str) -> float:
        return float(
            next(
                element.attrib["width"]
                for element in drawn(svg)
                if element.get("stroke") == "black" and element.tag == f"{SVG}rect"
            )
        )

    assert width(chart.svg(half)) == pytest.approx(width(chart.svg(year)) / 2)


def test_mme_is_written_and_its_limits_are_drawn_when_there_are_opioids() -> None:
    with_opioid = texts(chart.svg(points(bar(), value="95.5")))
    without = texts(chart.svg(points(bar(), value="0")))

    assert {"now 95.5", "peak 95.5", "on 11/24/2025", "50", "90"} <= set(with_opioid)
    assert "MME per day, reported" in with_opioid
    assert "MME per day, reported" not in without


def test_limits_stay_readable_beside_a_very_high_peak() -> None:
    svg = chart.svg(points(bar(), value="1500"))

    height = {
        element.text: float(element.attrib["y"])
        for element in drawn(svg)
        if element.text in {"50", "90"}
    }
    assert height["50"] - height["90"] >= 9


def test_names_cannot_break_out_of_the_drawing() -> None:
    svg = chart.svg(points(bar('<script>alert(1)</script> & "co"')))

    assert "<script>" not in svg
    assert ET.fromstring(svg) is not None  # noqa: S314 - our own drawing


def test_an_empty_period_still_draws() -> None:
    assert "11/24/2025" in texts(chart.svg(points(value="0")))


def test_more_than_twelve_drugs_or_two_years_go_to_further_charts() -> None:
    many = points(*[bar(f"DRUG {number:02}") for number in range(13)])
    long = points(
        bar(first="2023-01-05"), bar(first="2026-01-05"), since=date(2022, 12, 1)
    )

    assert len(chart.pages(many)) == 2
    recent, older = chart.pages(long)
    assert "11/23/2026" in texts(recent)
    assert "12/01/2022" in texts(older)
    with pytest.raises(ValueError, match="pages"):
        chart.svg(many)


def test_windows_of_further_charts_leave_no_day_out() -> None:
    since = date(2019, 2, 28)
    found = chart.pages(points(bar(first="2020-01-01"), since=since))

    spans = [
        [
            date(int(text[6:]), int(text[:2]), int(text[3:5]))
            for text in texts(svg)
            if re.fullmatch(r"[\d/]{10}", text)
        ]
        for svg in found
    ]
    assert spans[0][1] == UNTIL
    assert spans[-1][0] == since
    for newer, older in pairwise(spans):
        assert older[1] == newer[0] - timedelta(days=1)


def test_the_limits_are_those_that_the_programme_has_set() -> None:
    shown = replace(points(bar()), limits=(Decimal(80), Decimal(120)))
    words = set(texts(chart.svg(shown)))

    assert {"80", "120", "80 MME", "120 MME"} <= words
    assert not {"50", "90", "50 MME", "90 MME"} & words
