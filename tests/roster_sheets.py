"""Roster files for tests: the Department's rows, CMS's rows, contacts."""

import csv
from collections.abc import Iterable
from pathlib import Path

from pmp.demo.roster_files import COLUMNS, PRACTITIONER


def row(key: int, **cells: str) -> dict[str, str]:
    """Give a row of the Department's file; its every default is valid."""
    return (
        dict.fromkeys(COLUMNS, "")
        | {
            "CredentialId": str(key),
            "Name": f"Licensee Number{key}",
            "FullCredentialCode": f"CSP.{key:07d}",
            "Credential": PRACTITIONER,
            "Status": "ACTIVE",
            "Active": "1",
            "ExpirationDate": "02/28/2027",
            "Address": f"{key} Main  St",
            "City": "Hartford",
            "State": "CT",
            "Zip": "061061234",
        }
        | cells
    )


def sheet(
    folder: Path,
    rows: Iterable[dict[str, str]],
    *,
    delimiter: str = ",",
    name: str = "roster.csv",
    encoding: str = "utf-8",
) -> Path:
    """Write the Department's file."""
    path = folder / name
    with path.open("w", newline="", encoding=encoding) as body:
        writer = csv.DictWriter(body, COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def contacts(folder: Path, text: str) -> Path:
    """Write a file of contacts."""
    path = folder / "contacts.csv"
    path.write_text(text)
    return path
