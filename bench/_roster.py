"""A roster file of any size, by chance from a seed: rows as the Department writes them.

Its people and their addresses are made of our own short lists. The shares of what is
odd (no Name, codes that are not unique, no address, mixed case) are those counted in a
copy of 2022; one credential in forty is of a kind that the program keeps.
"""

import csv
from pathlib import Path
from random import Random

from pmp.demo.roster_files import COLUMNS, PHARMACY, PRACTITIONER

FIRST = ("Ann", "Bo", "Carmen", "David", "Élise", "Fatima", "George", "Hana", "Iván")
LAST = ("Adams", "Brown", "Castillo", "Dubois", "Evans", "Figueroa", "Green", "O'Hara")
STREETS = ("Main St", "Elm Street", "Oak Ave", "Capitol Avenue", "Farmington Ave, Fl 2")
TOWNS = (
    ("Hartford", "06106"),
    ("NEW HAVEN", "06510"),
    ("Stamford", "069011234"),
    ("Avon", "06001"),
)
OTHERS = tuple(f"CREDENTIAL OF ANOTHER TRADE {n}" for n in range(470))
STATUSES = ("ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE", "LAPSED", "ACTIVE IN RENEWAL")
KEPT_SHARE = 40
PHARMACY_SHARE = 30
ODD = {"Name": 31_000, "Address": 260, "FullCredentialCode": 2_100_000}
"""Of how many rows one lacks this."""
NOT_UNIQUE = 40
MOVED = 500
"""Of how many rows one has another address a day later."""


def write(path: Path, *, rows: int, seed: int, day: int = 0) -> int:
    """Write a file; give how many of its credentials are of a kind that is kept.

    `day` 1 is the same file a day later: some have moved, some are new, some gone.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    kept = 0
    with path.open("w", newline="", encoding="utf-8") as sheet:
        writer = csv.writer(sheet, delimiter="\t")
        writer.writerow(COLUMNS)
        for number in range(rows):
            cells = _row(rng, number)
            if day and number % MOVED == 1:
                cells["Address"] = "1 Newmoved Road"
            if day and number % MOVED == 2:
                cells["CredentialId"] = str(number + 50_000_000)
            kept += cells["Credential"] in {PRACTITIONER, PHARMACY}
            writer.writerow(cells.values())
    return kept


def _row(rng: Random, number: int) -> dict[str, str]:
    kind = _kind(rng)
    town, code = rng.choice(TOWNS)
    name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    twice = rng.randrange(NOT_UNIQUE) == 0
    prefix = {PRACTITIONER: "CSP", PHARMACY: "PCY"}.get(kind, "OTH")
    status = rng.choice(STATUSES)
    row = dict.fromkeys(COLUMNS, "") | {
        "CredentialId": str(1_000_000 + number),
        "Name": name.upper() if rng.random() < 0.5 else name,
        "Type": "INDIVIDUAL",
        "FullCredentialCode": f"{prefix}.{number - twice:07d}",
        "CredentialType": prefix,
        "CredentialNumber": "" if rng.randrange(42) == 0 else str(number),
        "Credential": kind,
        "Status": status,
        "StatusReason": "CURRENT",
        "Active": "1" if status.startswith("ACTIVE") else "0",
        "IssueDate": "05/04/2011",
        "EffectiveDate": "03/01/2026",
        "ExpirationDate": f"{rng.randint(1, 12):02d}/28/{rng.randint(2024, 2028)}",
        "Address": f"{rng.randint(1, 999)} {rng.choice(STREETS)}",
        "City": town,
        "State": "CT",
        "Zip": code,
        "RecordRefreshedOn": "11/23/2026",
    }
    for column, share in ODD.items():
        if rng.randrange(share) == 0:
            row[column] = ""
    return row


def _kind(rng: Random) -> str:
    if rng.randrange(KEPT_SHARE):
        return rng.choice(OTHERS)
    return PHARMACY if rng.randrange(PHARMACY_SHARE) == 0 else PRACTITIONER
