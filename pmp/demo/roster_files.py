"""The demo's roster: the Department's file of licences and the file of contacts."""

import csv
import io
from datetime import date

from pmp.demo.cast import Cast, Practitioner, Shop

COLUMNS = (
    "CredentialId", "Name", "Type", "BusinessName", "DBA", "FullCredentialCode",
    "CredentialType", "CredentialNumber", "CredentialSubCategory", "Credential",
    "Status", "StatusReason", "Active", "IssueDate", "EffectiveDate",
    "ExpirationDate", "Address", "City", "State", "Zip", "RecordRefreshedOn",
)  # fmt: skip
CONTACTS = (
    "licence", "dea", "npi", "ncpdp", "phone", "fax", "email", "preferred_channel",
)  # fmt: skip
PRACTITIONER = "CONTROLLED SUBSTANCE REGISTRATION FOR PRACTITIONER"
PHARMACY = "PHARMACY"


def licences(cast: Cast, *, today: date) -> str:
    """Write the file as the Department publishes it: 21 columns, all kinds mixed."""
    rows = [_practitioner(n, each) for n, each in enumerate(cast.practitioners)]
    rows += [_shop(n, each) for n, each in enumerate(cast.shops)]
    rows += _others()
    return _table(COLUMNS, [_dated(row, today) for row in rows])


def licences_next_day(cast: Cast, *, today: date) -> str:
    """Write the file of a day later: dr.brown lapsed, a pharmacy moved, one is new."""
    rows = [_practitioner(n, each) for n, each in enumerate(cast.practitioners)]
    rows[1] |= {"Status": "INACTIVE", "StatusReason": "LAPSED", "Active": "0"}
    shops = [_shop(n, each) for n, each in enumerate(cast.shops)]
    shops[1] |= {"Address": "88 Newfield Avenue"}
    rows += [*shops, *_others()]
    rows.append(_licence(900004, "NORA NEWCOMER", "CSP.0019997", PRACTITIONER))
    odd = _licence(900005, "ZOE ZIPPER", "CSP.0019996", PRACTITIONER)
    rows.append(odd | {"Zip": "06-?06"})
    return _table(COLUMNS, [_dated(row, today) for row in rows])


def contacts(cast: Cast) -> str:
    """Write the second file: who can be reached how, joined by licence."""
    rows = [_contact(each) for each in cast.practitioners]
    rows += [_contact(each) | {"ncpdp": each.ncpdp} for each in cast.shops]
    return _table(CONTACTS, rows)


def _contact(each: Practitioner | Shop) -> dict[str, str]:
    return {
        "licence": each.licence,
        "dea": each.dea,
        "npi": each.npi,
        "phone": each.phone,
        "fax": each.fax,
        "email": each.email,
    }


def _practitioner(n: int, each: Practitioner) -> dict[str, str]:
    name = f"{each.first} {each.last}".upper()
    return _licence(500001 + n, name, each.licence, PRACTITIONER) | _address(each)


def _shop(n: int, each: Shop) -> dict[str, str]:
    row = _licence(700001 + n, each.name.upper(), each.licence, PHARMACY)
    return row | _address(each) | {"Type": "CORPORATION"}


def _others() -> list[dict[str, str]]:
    """Give what the file holds besides: another trade, a lapsed licence, a gap."""
    lapsed = _licence(900002, "LAPSED LARA", "CSP.0019999", PRACTITIONER)
    return [
        _licence(900001, "FIGARO BARBER", "BAR.0000001", "BARBER"),
        lapsed | {"Status": "INACTIVE", "StatusReason": "LAPSED", "Active": "0"},
        _licence(900003, "", "CSP.0019998", PRACTITIONER),
    ]


def _licence(number: int, name: str, code: str, credential: str) -> dict[str, str]:
    prefix, _, digits = code.partition(".")
    return dict.fromkeys(COLUMNS, "") | {
        "CredentialId": str(number),
        "Name": name,
        "Type": "INDIVIDUAL",
        "FullCredentialCode": code,
        "CredentialType": prefix,
        "CredentialNumber": digits,
        "Credential": credential,
        "Status": "ACTIVE",
        "StatusReason": "CURRENT",
        "Active": "1",
        "Address": "1 Elm St",
        "City": "Hartford",
        "State": "CT",
        "Zip": "06106",
    }


def _address(each: Practitioner | Shop) -> dict[str, str]:
    return {"Address": each.street, "City": each.city, "Zip": each.zip}


def _dated(row: dict[str, str], today: date) -> dict[str, str]:
    return row | {
        "IssueDate": f"{today.replace(year=today.year - 8, day=1):%m/%d/%Y}",
        "EffectiveDate": f"{today.replace(year=today.year - 1, day=1):%m/%d/%Y}",
        "ExpirationDate": f"{today.replace(year=today.year + 1, day=1):%m/%d/%Y}",
        "RecordRefreshedOn": f"{today:%m/%d/%Y}",
    }


def _table(columns: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue()
