"""The confirmation page: one page, with a code that a bad fax brings back."""

import io
import random
from dataclasses import asdict, replace

import pytest
from PIL import Image

from gateway import barcodes, documents, fax_check, pages
from models import Application, Profession
from pmp import faxes, registration, settings
from pmp.documents import read
from pmp.registration.answers import (
    PHARMACY_ONLY,
    PRACTITIONER_ONLY,
    problems,
    shown,
    tidied,
)
from pmp.registration.registration_codes import new_code
from tests.conftest import NOW
from tests.factories import make_answers, make_application

PRACTITIONER, PHARMACY = Profession.PRACTITIONER, Profession.PHARMACY


def application(profession: Profession, **answers: str) -> Application:
    """Give a registration that is not stored."""
    given = tidied(profession, replace(make_answers(profession), **answers))
    stored = {k: v for k, v in asdict(given).items() if k != "preferred_channel"}
    return Application(
        code=new_code(), profession=profession, submitted_at=NOW, **stored
    )


def drawn(row: Application, template: str = "confirmation_page") -> bytes:
    return documents.faxable_pdf(template, row.code, **registration.confirmation(row))


def badly_faxed(pdf: bytes, *, seed: int) -> bytes:
    """Scan a page askew, with dirt and a streak, at standard resolution."""
    chance = random.Random(seed)  # noqa: S311 - dirt, not a secret
    [sheet] = pages.images(pdf, "application/pdf")
    sheet = sheet.rotate(chance.uniform(-2.5, 2.5), fillcolor=255)
    width, height = sheet.size
    low = sheet.resize((width, height * 98 // 204))
    dots = low.load()
    assert dots is not None
    for _ in range(4000):
        spot = chance.randrange(width), chance.randrange(low.size[1])
        dots[spot] = 0 if chance.random() < 0.5 else 255
    streak = chance.randrange(width)
    for line in range(low.size[1]):
        dots[streak, line] = 0
    written = io.BytesIO()
    black_and_white = low.point(lambda dot: 255 * (dot >= 140), "1")
    black_and_white.save(written, "TIFF", compression="group4", dpi=(204, 98))
    return written.getvalue()


def words_of(pdf: bytes) -> str:
    return " ".join(box.text for box in pages.text_boxes(pdf))


@pytest.mark.parametrize("profession", list(Profession))
def test_every_answer_and_the_fax_number_are_on_one_page(
    profession: Profession,
) -> None:
    row = application(profession)
    pdf = drawn(row)
    text = words_of(pdf)
    assert pages.pages(pdf, "application/pdf") == 1
    for expected in (row.code, "(860) 713-7242", "BR1234563", "may not be delegated"):
        assert expected in text
    for each in shown(profession, row):
        assert each.value.split()[0] in text if each.value else True


@pytest.mark.parametrize("profession", list(Profession))
def test_the_longest_answers_still_fit(profession: Profession) -> None:
    foreign = {PRACTITIONER: PHARMACY_ONLY, PHARMACY: PRACTITIONER_ONLY}[profession]
    free = {"specialty", "practice_name", "pharmacy_name", "software_vendor", "street"}
    free |= {"last_name", "first_name", "pharmacist_in_charge", "city", "degree"}
    long = dict.fromkeys(
        free - foreign, "Wolfeschlegelsteinhausenbergerdorff WOLFE MWMWMWMWMWMWMWMWMW"
    )
    long |= {"middle_name": "M" * 60, "email": f"{'m' * 48}@example.org"}
    long = {name: text for name, text in long.items() if name not in foreign}
    assert problems(profession, replace(make_answers(profession), **long)) == {}
    row = application(profession, **long)
    assert fax_check.legible(drawn(row), row.code)


@pytest.mark.parametrize("seed", range(12))
def test_a_bad_fax_gives_the_code_back(seed: int) -> None:
    row = application(PRACTITIONER if seed % 2 else PHARMACY)
    [page] = barcodes.read_codes(badly_faxed(drawn(row), seed=seed), "image/tiff")
    assert page.codes == (row.code,)


def test_a_page_whose_code_a_fax_would_lose_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = application(PRACTITIONER)
    monkeypatch.setattr(barcodes, "qr_png", blank)
    monkeypatch.setattr(barcodes, "code128_png", blank)
    with pytest.raises(documents.DocumentError, match="lose its code"):
        drawn(row)


def blank(_text: str) -> bytes:
    written = io.BytesIO()
    Image.new("1", (290, 290), 1).save(written, "PNG")
    return written.getvalue()


def test_markup_in_an_answer_is_only_text() -> None:
    row = application(PRACTITIONER, last_name="<b>Bold</b>", city="</table><h1>X")
    assert "<b>Bold</b>" in words_of(drawn(row)).replace(" ", "")


def test_the_faxed_page_finds_its_registration(db: settings.Settings) -> None:
    row, noise = make_application(), make_application()
    body = badly_faxed(drawn(row), seed=1)
    fax = faxes.receive(
        body=body,
        media_type="image/tiff",
        from_number="8605550124",
        source="test",
        source_reference="one",
        at=NOW,
    )
    assert fax.document is not None
    found = barcodes.read_codes(read(fax.document), fax.document.media_type)
    codes = [code for page in found for code in page.codes]
    faxes.file_by_codes(fax, codes=codes, pages=len(found), at=NOW)
    assert Application.get_by_id(row.id).status == "confirmation_received"
    assert Application.get_by_id(noise.id).status == "submitted"
