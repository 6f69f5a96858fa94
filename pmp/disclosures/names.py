"""What a person is called on papers of disclosures, and the codes of such papers."""

import secrets
from datetime import date

from pmp.dispensations.row_codes import SIGNS, check_sign
from pmp.errors import NotFoundError
from pmp.history import identities

CODE_SIGNS = 9


def of_patient(patient_id: int) -> tuple[str, date]:
    """Give the name and birth date of the newest report of a person; NotFoundError."""
    reported = identities.of_patient(patient_id)
    if not reported:
        raise NotFoundError("Nobody is reported under this number any more.")
    people = [each for each in reported if not each.is_animal] or reported
    return people[0].name, people[0].birth_date


def new_code(letter: str) -> str:
    """Make the code of a paper, such as A-7K3Q9-X2M4P: about 45 random bits."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(CODE_SIGNS))
    return f"{letter}-{signs[:5]}-{signs[5:]}{check_sign(signs)}"
