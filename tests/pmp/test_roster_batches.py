"""Imports as batches: one at a time, whole or gone on with, undone exactly."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from models import (
    AuditEvent,
    Licence,
    Pharmacy,
    Prescriber,
    Profession,
    RosterChange,
    RosterImport,
    RosterProblem,
    RosterState,
    RosterUploadPart,
    database,
)
from pmp import clock, roster, settings
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.roster import applying, batches, previews, reading, undo_checks
from tests.conftest import NOW
from tests.factories import (
    make_dea,
    make_licence,
    make_pharmacy,
    make_prescriber,
    make_user,
)
from tests.roster_sheets import contacts, row, sheet

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> RosterImport:
    return roster.import_file(path, by="system", at=NOW)


def preview(path: Path) -> RosterImport:
    return roster.preview(path, by="lee", at=NOW)


def undo(batch: RosterImport) -> RosterImport:
    return roster.undo(batch.id, reason="the wrong file", by="lee", at=NOW)


def everything() -> list[list[dict[str, Any]]]:
    """Give all that an import may touch."""
    tables: tuple[Any, ...] = (Licence, Prescriber, Pharmacy)
    return [list(table.select().order_by(table.id).dicts()) for table in tables]


# --- Preview and apply


def test_a_preview_shows_before_and_after_and_rows(
    db: settings.Settings, tmp_path: Path
) -> None:
    imported(sheet(tmp_path, map(row, range(1, 4))))
    later = [row(1, Zip="06107", Status="INACTIVE", Active="0"), row(2), row(9)]
    batch = preview(sheet(tmp_path, [*later, row(5, Name="")]))
    [change] = previews.rows(batch, "changed", number=1).rows
    assert change.row == 2
    assert previews.lines(change) == [
        ("status", "ACTIVE", "INACTIVE"),
        ("active", "yes", "no"),
        ("ZIP code", "06106-1234", "06107"),
    ]
    told = {tuple(map(str, line[:3])) for line in previews.every_line(batch)}
    assert ("gone", "", "3") in told
    assert ("new", "4", "9") in told
    assert ("invalid", "5", "") in told


def test_a_preview_of_the_roster_as_it_was_is_not_applied(
    db: settings.Settings, tmp_path: Path
) -> None:
    imported(sheet(tmp_path, [row(1)]))
    old = preview(sheet(tmp_path, [row(1), row(2)]))
    assert not batches.is_stale(old)
    between = imported(sheet(tmp_path, [row(1), row(3)], name="new.csv"))
    with pytest.raises(ConflictError, match="has changed since"):
        roster.apply(old.id, by="lee", at=NOW)
    assert batches.get(old.id).state == RosterState.READY
    undo(between)  # the roster is the same again, and that nobody can tell
    with pytest.raises(ConflictError, match="Read the file again"):
        roster.apply(old.id, by="lee", at=NOW)


def test_a_preview_is_applied_once(db: settings.Settings, tmp_path: Path) -> None:
    batch = imported(sheet(tmp_path, [row(1)]))
    with pytest.raises(ConflictError, match="is applied by now"):
        roster.apply(batch.id, by="lee", at=NOW)
    with pytest.raises(NotFoundError):
        roster.apply(batch.id + 1, by="lee", at=NOW)


def test_only_one_import_is_at_work(db: settings.Settings, tmp_path: Path) -> None:
    first = preview(sheet(tmp_path, [row(1)]))
    second = preview(sheet(tmp_path, [row(2)], name="other.csv"))
    batches.begin_to_apply(first.id, by="lee", at=NOW)
    with pytest.raises(ConflictError, match="Another import is being applied"):
        batches.begin_to_apply(second.id, by="lee", at=NOW)
    assert batches.get(second.id).state == RosterState.READY
    assert batches.get(second.id).applied_by == ""


def test_of_two_who_apply_at_once_one_wins(
    db: settings.Settings, tmp_path: Path
) -> None:
    paths = [sheet(tmp_path, [row(n)], name=f"{n}.csv") for n in (1, 2)]
    found = [preview(path).id for path in paths]
    refused: list[Exception] = []

    def decide(batch_id: int) -> None:
        with database.connection_context():
            try:
                roster.apply(batch_id, by="lee", at=NOW)
            except ConflictError as refusal:
                refused.append(refusal)

    threads = [Thread(target=decide, args=(number,)) for number in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Licence.select().count() == 1
    states = sorted(batch.state for batch in RosterImport.select())
    assert states == [RosterState.APPLIED, RosterState.READY]


def test_two_workers_do_not_apply_the_same_import(
    db: settings.Settings, tmp_path: Path
) -> None:
    batch = preview(sheet(tmp_path, [row(1)]))
    batches.begin_to_apply(batch.id, by="lee", at=NOW)
    states = (RosterState.APPLYING,)
    held = batches.take(batch.id, states=states, to=RosterState.APPLYING, now=clock.now)
    assert held is not None
    applying.apply(batch.id, now=clock.now)  # another holds it: nothing happens
    assert Licence.select().count() == 0
    RosterImport.update(worker_until=NOW - timedelta(days=999)).execute()
    applying.apply(batch.id, now=clock.now)
    assert Licence.select().count() == 1
    with pytest.raises(batches.LostError):
        held.renew()  # the one that was slow learns that it must stop


KILLED = """
import os, signal, sys
from pmp import clock, database, settings
from pmp.roster import applying
settings.use(settings.load())
database.begin_use()
steps = []
some = applying._apply_some
def dying(hold):
    if len(steps) == 2:
        real = applying._mark
        def mark(changes, *, done):  # in the middle of the third transaction
            os.kill(os.getpid(), signal.SIGKILL)
        applying._mark = mark
    steps.append(1)
    return some(hold)
applying._apply_some = dying
with database.connected():
    applying.apply(int(sys.argv[1]), now=clock.now)
"""


def test_an_import_whose_worker_is_killed_is_gone_on_with(
    db: settings.Settings, tmp_path: Path
) -> None:
    batch = preview(sheet(tmp_path, map(row, range(1700))))
    batches.begin_to_apply(batch.id, by="lee", at=NOW)
    environment = os.environ | {
        "PMP_DATABASE_URL": db.database_url,
        "PMP_DATA_DIR": str(db.data_dir),
        "PMP_SECRET_KEY": db.secret_key.get_secret_value(),
        "PMP_DOCUMENT_KEY": db.document_key.get_secret_value(),
    }
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(batch.id)],
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert killed.returncode == -9
    assert Licence.select().count() == 1000  # two steps, and none of the third
    with pytest.raises(ConflictError):
        batches.discard(batch.id, by="lee", at=NOW)
    later = clock.now() + timedelta(minutes=6)
    assert batches.unfinished(at=clock.now()) == []
    assert batches.unfinished(at=later) == [batch.id]
    roster.work(batch.id, now=lambda: later)
    assert Licence.select().count() == 1700
    assert batches.get(batch.id).state == RosterState.APPLIED
    assert RosterChange.select().where(~RosterChange.done).count() == 0


def test_a_reading_that_was_killed_begins_anew(
    db: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sheet(tmp_path, [*map(row, range(600)), row(7)])
    keep, kept = reading._keep, list[int]()

    def dying(*arguments: Any, **options: Any) -> None:
        if len(kept) == 1:
            raise KeyboardInterrupt
        kept.append(1)
        keep(*arguments, **options)

    monkeypatch.setattr(reading, "_keep", dying)
    with pytest.raises(KeyboardInterrupt):
        preview(path)
    monkeypatch.setattr(reading, "_keep", keep)
    [batch] = RosterImport.select()
    assert (batch.state, batch.new) == (RosterState.READING, 500)
    later = clock.now() + timedelta(minutes=6)
    reading.read(batch.id, now=lambda: later, path=path)
    batch = batches.get(batch.id)
    assert (batch.state, batch.new, batch.invalid) == (RosterState.READY, 600, 1)
    assert RosterChange.select().count() == 600


def test_a_file_that_only_has_faults_is_given_up(
    db: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_PROBLEMS", 10)
    with pytest.raises(RuleError, match="More than 10 rows"):
        preview(sheet(tmp_path, [row(n, Zip="?") for n in range(11)]))
    assert RosterProblem.select().count() == 0


# --- Undo


def test_an_undone_import_leaves_everything_as_it_was(
    db: settings.Settings, tmp_path: Path
) -> None:
    imported(sheet(tmp_path, map(row, range(1, 700))))
    known = make_pharmacy(fax=None, name="")
    make_licence(code="PCY.0000900", last_import=1, credential_id="p900")
    imported(contacts(tmp_path, f"licence,dea\nPCY.0000900,{known.dea}\n"))
    before = everything()
    later = [row(n, City="Avon" if n % 2 else "Hartford") for n in range(50, 900)]
    batch = roster.apply(
        preview(sheet(tmp_path, later)).id, by="lee", at=NOW, accept_gone=True
    )
    assert (batch.new, batch.changed, batch.gone) == (200, 325, 50)
    assert everything() != before

    undone = undo(batch)

    assert everything() == before
    assert undone.state == RosterState.UNDONE
    assert (undone.undone_by, undone.undo_reason) == ("lee", "the wrong file")
    events = [each.event for each in AuditEvent.select().order_by(AuditEvent.id)]
    assert events[-2:] == ["roster:undo_begun", "roster:undone"]


def test_contacts_are_undone_but_for_what_a_person_changed_since(
    db: settings.Settings, tmp_path: Path
) -> None:
    for number in (7, 8, 9):
        make_licence(Profession.PRACTITIONER, code=f"CSP.000000{number}")
    known = make_prescriber(dea=make_dea(7), fax=None, email=None)
    kept = make_prescriber(dea=make_dea(8), fax=None, email=None)
    before = everything()
    lines = [
        f"CSP.000000{n},{make_dea(n)},860555010{n},n{n}@example.org" for n in (7, 8, 9)
    ]
    batch = imported(contacts(tmp_path, "\n".join(["licence,dea,fax,email", *lines])))
    assert Prescriber.select().count() == 3
    assert Prescriber.get_by_id(known.id).fax == "+18605550107"
    Prescriber.update(fax="+18605550188").where(Prescriber.id == kept.id).execute()

    undo(batch)

    after = everything()
    assert Prescriber.get_by_id(kept.id).fax == "+18605550188"
    after[1][1]["fax"] = None
    assert after == before


def test_what_others_hold_on_to_stays_out_of_use(
    db: settings.Settings, tmp_path: Path
) -> None:
    """A prescriber whom pharmacies have reported meanwhile is not deleted."""
    make_licence(Profession.PRACTITIONER, code="CSP.0000007")
    text = f"licence,dea,fax\nCSP.0000007,{make_dea(7)},8605550107\n"
    batch = imported(contacts(tmp_path, text))
    made = Prescriber.get()
    make_user(prescriber=made)
    undo(batch)
    made = Prescriber.get()
    assert (made.dea, made.fax, made.licence, made.last_name) == (
        make_dea(7),
        None,
        None,
        "",
    )


def test_an_import_is_not_undone_below_a_later_one_of_the_same_rows(
    db: settings.Settings, tmp_path: Path
) -> None:
    first = imported(sheet(tmp_path, [row(1), row(2), row(3)]))
    second = imported(
        sheet(tmp_path, [row(1, City="Avon"), row(2), row(3)], name="second.csv")
    )
    third = imported(
        sheet(
            tmp_path,
            [row(1, City="Avon", Status="LAPSED", Active="0"), row(2), row(3)],
            name="third.csv",
        )
    )
    with pytest.raises(ConflictError) as refused:
        undo(first)
    assert "CSP.0000001 Licensee Number1 was changed by import" in str(refused.value)
    assert "second.csv" in str(refused.value)
    assert batches.get(first.id).state == RosterState.APPLIED
    assert batches.get(first.id).turn is None
    undo(second)  # other columns than the third's
    licence = Licence.get(credential_id="1")
    assert (licence.city, licence.status) == ("Hartford", "LAPSED")
    undo(third)
    undo(first)
    assert Licence.select().count() == 0


def test_a_licence_that_is_somebody_s_is_not_taken_away(
    db: settings.Settings, tmp_path: Path
) -> None:
    batch = imported(sheet(tmp_path, [row(1), row(2)]))
    make_user(username="dr.adams", licence=Licence.get(credential_id="1"))
    with pytest.raises(ConflictError, match=r"CSP.0000001 .* user dr.adams"):
        undo(batch)
    assert len(undo_checks.conflicts(batch)) == 1
    assert Licence.select().count() == 2


def test_an_undo_wants_a_reason(db: settings.Settings, tmp_path: Path) -> None:
    batch = imported(sheet(tmp_path, [row(1)]))
    with pytest.raises(RuleError, match="Say why") as refused:
        roster.undo(batch.id, reason=" ", by="lee", at=NOW)
    assert refused.value.field == "reason"


def test_an_undo_that_was_cut_off_is_gone_on_with(
    db: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = imported(sheet(tmp_path, map(row, range(1200))))
    some = applying._undo_some
    calls: Any = iter((some, _interrupt))

    def dying(hold: batches.Hold) -> int:
        return int(next(calls)(hold))

    monkeypatch.setattr(applying, "_undo_some", dying)
    with pytest.raises(KeyboardInterrupt):
        undo(batch)
    monkeypatch.setattr(applying, "_undo_some", some)
    assert Licence.select().count() == 700
    later = clock.now() + timedelta(minutes=6)
    roster.work(batch.id, now=lambda: later)
    assert Licence.select().count() == 0
    assert batches.get(batch.id).state == RosterState.UNDONE


def _interrupt(_hold: object) -> int:
    raise KeyboardInterrupt


# --- Persons who change meanwhile


def test_a_person_s_change_since_the_preview_wins(
    db: settings.Settings, tmp_path: Path
) -> None:
    make_licence(Profession.PRACTITIONER, code="CSP.0000007")
    person = make_prescriber(dea=make_dea(7), fax=None, email=None)
    text = (
        f"licence,dea,fax,email\nCSP.0000007,{make_dea(7)},8605550107,n@example.org\n"
    )
    batch = preview(contacts(tmp_path, text))
    Prescriber.update(fax="+18605550188").where(Prescriber.id == person.id).execute()
    roster.apply(batch.id, by="lee", at=NOW)
    person = Prescriber.get_by_id(person.id)
    assert (person.fax, person.email) == ("+18605550188", "n@example.org")


def test_a_person_reported_since_the_preview_is_not_made_twice(
    db: settings.Settings, tmp_path: Path
) -> None:
    licence = make_licence(Profession.PRACTITIONER, code="CSP.0000007")
    text = f"licence,dea,fax\nCSP.0000007,{make_dea(7)},8605550107\n"
    batch = preview(contacts(tmp_path, text))
    make_prescriber(dea=make_dea(7), last_name="RODKIN", fax=None)
    roster.apply(batch.id, by="lee", at=NOW)
    person = Prescriber.get()
    assert (person.licence, person.fax) == (licence, "+18605550107")
    assert person.last_name == "RODKIN"
    undo(batch)
    person = Prescriber.get()
    assert (person.licence, person.fax, person.last_name) == (None, None, "RODKIN")


# --- Uploads, and what is forgotten


def test_an_upload_is_sealed_until_it_is_decided(
    db: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART_BYTES", 1000)
    path = sheet(tmp_path, map(row, range(1, 30)))
    batch = _uploaded(path)
    parts = list(RosterUploadPart.select())
    assert len(parts) > 3
    assert all(b"Main St" not in bytes(part.sealed) for part in parts)
    assert batches.unfinished(at=NOW) == [batch.id]
    roster.work(batch.id, now=clock.now)
    assert batches.get(batch.id).new == 29
    imported(sheet(tmp_path, [row(1)], name="other.csv"))
    batches.read_again(batch.id, by="lee", at=NOW)
    roster.work(batch.id, now=clock.now)
    roster.apply(batch.id, by="lee", at=NOW)
    assert Licence.select().count() == 29
    assert RosterUploadPart.select().count() == 0


def test_a_discarded_or_old_preview_keeps_nothing(
    db: settings.Settings, tmp_path: Path
) -> None:
    first = _uploaded(sheet(tmp_path, [row(1), row(2, Zip="?")]))
    roster.work(first.id, now=clock.now)
    second = preview(sheet(tmp_path, [row(1)], name="b.csv"))
    applied = imported(sheet(tmp_path, [row(1)], name="c.csv"))
    batches.discard(first.id, by="lee", at=NOW)
    assert batches.expire(at=NOW + timedelta(days=29)) == 0
    assert batches.expire(at=NOW + timedelta(days=31)) == 1
    left = [change.batch for change in RosterChange.select()]
    assert left == [applied]
    assert RosterProblem.select().count() == RosterUploadPart.select().count() == 0
    assert batches.get(second.id).state == RosterState.DISCARDED
    with pytest.raises(ConflictError):
        roster.apply(first.id, by="lee", at=NOW)


def test_a_file_of_the_folder_is_taken_by_its_name_alone(
    db: settings.Settings, tmp_path: Path
) -> None:
    folder = reading.folder()
    folder.mkdir(parents=True)
    sheet(folder, [row(1)], name="daily.csv")
    (tmp_path / "secret.csv").write_text("x")
    assert [path.name for path in reading.in_folder()] == ["daily.csv"]
    for name in ("../secret.csv", "/etc/passwd", ""):
        with pytest.raises(RuleError):
            reading.named(name)
    with settings.changed(roster_dir=str(tmp_path / "nowhere")):
        assert reading.in_folder() == []


def _uploaded(path: Path, at: datetime = NOW) -> RosterImport:
    with path.open("rb") as binary:
        return reading.ask_for_upload(binary, filename=path.name, by="lee", at=at)
