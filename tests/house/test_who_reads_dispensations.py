"""Whoever reads dispensations leaves the withheld ones out, or says why not."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Module → why a withheld fill may be in what it reads.
MAY_READ_ALL = {
    "pmp/audit/audit_search.py": "who looked at an entry, for auditors",
    "pmp/dispensations/daily_doses.py": "a pharmacy's own",
    "pmp/dispensations/day_counts.py": "a pharmacy's own",
    "pmp/dispensations/dispensing.py": "a pharmacy's own",
    "pmp/dispensations/early_refills.py": "a pharmacy's own",
    "pmp/dispensations/own_corrections.py": "a pharmacy's own",
    "pmp/dispensations/own_entries.py": "a pharmacy's own",
    "pmp/dispensations/pattern_counts.py": "a pharmacy's own",
    "pmp/dispensations/unknown_products.py": "what is unknown is not withheld yet",
    "pmp/entry/typed_records.py": "what a user just typed",
    "pmp/lookup/report_copies.py": "whose the entries of a PDF are",
    "pmp/lookup/unusual.py": "whether a patient is a user's own",
    "pmp/matching/moves.py": "fills go with their identity",
    "pmp/matching/outlook.py": "how many fills would move",
    "pmp/matching/undoing.py": "fills go back with their identity",
    "pmp/reporting/zeros.py": "whether a pharmacy reported at all",
    "pmp/statistics.py": "counts of NDCs",
    "pmp/thresholds/case_recipients.py": "whether somebody is on a counted entry",
    "pmp/thresholds/concerned.py": "entries that a case counted",
    "pmp/thresholds/correction_notices.py": "entries that a case counted",
    "pmp/thresholds/full_checks.py": "whose fills a submission touched",
    "pmp/thresholds/moved_cases.py": "entries that a case counted",
    "pmp/thresholds/threshold_cases.py": "entries that a case counted",
    "pmp/thresholds/threshold_copies.py": "whose the entries of a PDF are",
    "pmp/tickets/board.py": "row codes and pharmacies of tickets, for staff",
    "pmp/tickets/outcomes.py": "pharmacies of tickets, to count",
    "pmp/tickets/whose.py": "row codes of one's own tickets",
    "pmp/tickets/ticket_desk.py": "an entry that its reporter may see",
    "pmp/uploads/__init__.py": "storing",
    "pmp/uploads/standing.py": "storing",
    "pmp/uploads/suggestions/earlier_fills.py": "a pharmacy's own",
    "pmp/uploads/zeros.py": "whether a pharmacy reported at all",
}
QUERY = re.compile(
    r"\bDispensation\.(?:select|get|get_or_none|alias)\(|join\(Dispensation\b"
    r"|(?:=|\bfrom_\() ?Dispensation\b(?!\.)"
)
"""A query of the table, or of another name for it: `table: Any = Dispensation`."""


def test_every_reader_of_dispensations_minds_what_is_withheld() -> None:
    careless = {
        str(path.relative_to(ROOT))
        for room in ("pmp", "gateway")
        for path in (ROOT / room).rglob("*.py")
        if QUERY.search(text := path.read_text("utf-8")) and "withheld" not in text
    }

    assert careless - MAY_READ_ALL.keys() == set(), "add pmp.withheld.shown()"


def test_no_module_is_excused_that_is_not_there() -> None:
    assert [name for name in MAY_READ_ALL if not (ROOT / name).exists()] == []
