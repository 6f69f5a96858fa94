"""Loads the demo's state through the real path: roster, faxes, letters, submissions."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2

from gateway import tasks
from gateway.documents import faxable_pdf
from models import (
    Application,
    Delivery,
    DeliveryKind,
    Profession,
    ReceiptPolicy,
    Role,
    User,
)
from pmp import (
    accounts,
    clock,
    documents,
    drugs,
    faxes,
    registration,
    roster,
    uploads,
)
from pmp.accounts import credentials, users
from pmp.demo import cast, roster_files, stories, submission_files
from pmp.registration import approval
from pmp.registration.answers import Answers
from pmp.roster import reading
from pmp.thresholds import threshold_rules
from pmp.uploads import receipts
from portal.cli import demo_cases, demo_tickets

PASS_PHRASE = "maple syrup on a tuesday"  # noqa: S105 - the demo's, told to everyone
STAFF = (
    ("staff.lee", Role.STAFF),
    ("staff.ortiz", Role.STAFF),
    ("audit.park", Role.AUDITOR),
    ("admin.chief", Role.ADMINISTRATOR),
    ("admin.reyes", Role.ADMINISTRATOR),
)
LATEST = 20  # dispensations in each file that a pharmacy submits itself
Say = Callable[[str], None]


def accounts_table(address: str) -> str:
    """Say where the demo is and who can sign in."""
    rows = [
        ("dr.adams, dr.brown", "prescribers: look up a patient"),
        ("main.pharmacy, elm.pharmacy", "pharmacies: submissions, threshold reports"),
        ("staff.lee, staff.ortiz", "the program's staff: faxes, deliveries, tickets"),
        ("admin.chief, admin.reyes", "administrators: rules, users, settings, audit"),
        ("audit.park", "auditor"),
    ]
    lines = [f"  {names:30}{what}" for names, what in rows]
    head = ["", f"The demo is at {address}", f"Pass phrase of all: {PASS_PHRASE}"]
    return "\n".join([*head, *lines, "Ctrl-C stops it.", ""])


def load(*, scale: float, data_dir: Path, say: Say) -> None:
    """Load everything, by the rules and tasks that the portal and the worker use."""
    today = clock.today()
    people = cast.make(scale=scale, today=today)
    say("Importing drugs and the roster …")
    drugs.seed(at=clock.now())
    threshold_rules.seed(at=clock.now())
    _import_roster(people)
    for username, role in STAFF:
        _staff(username, role)
    say("Registering two prescribers and two pharmacies, by fax and letter …")
    for doctor in people.practitioners[:2]:
        _register(Profession.PRACTITIONER, _practitioner_answers(doctor))
    for shop in people.shops[:2]:
        _register(Profession.PHARMACY, _pharmacy_answers(shop))
    demo_cases.try_rules_out()
    _submit(people, say)
    say("Answering threshold reports, and reporting errors …")
    demo_cases.answer_reports(data_dir=data_dir)
    demo_tickets.open_them()
    _waiting_registration(people, data_dir)


def _import_roster(people: cast.Cast) -> None:
    with TemporaryDirectory() as folder:
        licences, contacts = (
            Path(folder) / "licences.csv",
            Path(folder) / "contacts.csv",
        )
        licences.write_text(roster_files.licences(people, today=clock.today()))
        contacts.write_text(roster_files.contacts(people))
        roster.import_file(licences, by="system", at=clock.now())
        roster.import_file(contacts, by="system", at=clock.now())
    # What an administrator finds on the server the next day.
    server = reading.folder()
    server.mkdir(parents=True, exist_ok=True)
    later = roster_files.licences_next_day(people, today=clock.today())
    (server / "licences-next-day.csv").write_text(later)


def _staff(username: str, role: Role) -> None:
    email = f"{username}@example.org"
    made, secret = users.create_with_secret(
        username=username, role=role, email=email, at=clock.now()
    )
    _activate(made, secret, code="")


def _register(profession: Profession, answers: Answers) -> None:
    """Go the whole way: form, signed page by fax, approval, letter, first sign-in."""
    application = registration.submit(
        profession=profession, answers=answers, attested=True, at=clock.now()
    )
    fax = faxes.receive(
        body=_confirmation_page(application),
        media_type="application/pdf",
        from_number="",
        source="folder",
        source_reference=f"demo:{application.code}",
        at=clock.now(),
    )
    tasks.read_fax.call_local(fax.id)
    user = approval.approve(
        Application.get_by_id(application.id),
        checked=list(approval.Check),
        by=users.named(STAFF[0][0]),
        at=clock.now(),
    )
    _activate(user, _secret_of_letter(user), code=application.code)


def _confirmation_page(application: Application) -> bytes:
    return faxable_pdf(
        "confirmation_page", application.code, **registration.confirmation(application)
    )


def _secret_of_letter(user: User) -> str:
    """Read the single-use password off the letter, as its addressee would."""
    letter = Delivery.get(
        (Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
        & (Delivery.subject_id == user.id)
    )
    tasks.send_delivery.call_local(letter.id)
    kept = Delivery.get_by_id(letter.id).document
    if kept is None:
        raise RuntimeError("the letter was not drawn")
    body = documents.read(kept)
    with pypdfium2.PdfDocument(BytesIO(body)) as printed:
        text = printed[0].get_textpage().get_text_bounded()
    group = f"[0-9A-Z]{{{credentials.GROUP}}}"
    found = re.search("-".join([group] * credentials.GROUPS), text)
    if found is None:
        raise RuntimeError("the letter shows no password")
    return found[0]


def _activate(user: User, secret: str, *, code: str) -> None:
    credential = accounts.check_letter(
        username=user.username, secret=secret, code=code, address="", at=clock.now()
    )
    accounts.activate(
        credential=credential,
        password=PASS_PHRASE,
        address="",
        browser="",
        at=clock.now(),
    )


def _submit(people: cast.Cast, say: Say) -> None:
    """Submit two years: by exchange, then the latest by two pharmacies themselves."""
    today = clock.today()
    fills = stories.all_fills(people, today=today)
    main, elm = (
        [fill for fill in fills if fill.shop == shop and fill.person in people.people]
        for shop in people.shops[:2]
    )
    own = {*main[-LATEST:], *elm[-LATEST:]}
    # The exchange's files are many: staff are told of those with problems.
    exchange = users.named(STAFF[0][0])
    receipts.choose(ReceiptPolicy.PROBLEMS, by=exchange, at=clock.now())
    say(f"Submitting {len(fills)} dispensations …")
    months = submission_files.in_months(fill for fill in fills if fill not in own)
    for n, month in enumerate(months, start=1):
        name = f"exchange-{n:02d}"
        file = submission_files.write(month, name=name, written=today)
        _submit_file(file, STAFF[0][0])
    file = submission_files.write(elm[-LATEST:], name="elm-1", written=today)
    _submit_file(file, "elm.pharmacy")
    faulty = submission_files.write_with_faults
    file = faulty(main[-LATEST:], name="main-1", written=today)
    _submit_file(file, "main.pharmacy")


def _submit_file(file: submission_files.File, username: str) -> None:
    submission = uploads.receive(
        filename=file.name, body=file.body, by=users.named(username), at=clock.now()
    )
    uploads.process(submission.id, at=clock.now())


def _practitioner_answers(doctor: cast.Practitioner) -> Answers:
    return Answers(
        last_name=doctor.last,
        first_name=doctor.first,
        degree=doctor.degree,
        specialty="Internal medicine",
        practice_name=f"{doctor.last} Family Practice",
        licence_number=doctor.licence,
        dea=doctor.dea,
        npi=doctor.npi,
        street=doctor.street,
        city=doctor.city,
        state="CT",
        zip=doctor.zip,
        phone=doctor.phone,
        fax=doctor.fax,
        email=doctor.email,
    )


def _pharmacy_answers(shop: cast.Shop) -> Answers:
    return Answers(
        pharmacy_name=shop.name,
        pharmacist_in_charge="Pat Pharmer",
        software_vendor="Demo Software",
        licence_number=shop.licence,
        dea=shop.dea,
        npi=shop.npi,
        ncpdp=shop.ncpdp,
        street=shop.street,
        city=shop.city,
        state="CT",
        zip=shop.zip,
        phone=shop.phone,
        fax=shop.fax,
        email=shop.email,
    )


def _waiting_registration(people: cast.Cast, data_dir: Path) -> None:
    """Leave a registration without its fax, and the signed page ready to drop in."""
    application = registration.submit(
        profession=Profession.PRACTITIONER,
        answers=_practitioner_answers(people.practitioners[5]),
        attested=True,
        at=clock.now(),
    )
    (data_dir / "faxes-in").mkdir(exist_ok=True)
    (data_dir / "fax-to-drop.pdf").write_bytes(_confirmation_page(application))
