from typing import Any

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ReceiptPolicy,
    Role,
    Submission,
    SubmissionSource,
    User,
)
from pmp import audit, uploads
from pmp.uploads import receipts
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.usefixtures("db")

GOOD = fill("1")
HELD = fill("2", days="0")


@pytest.fixture
def elm() -> User:
    make_product(ndc=OXYCODONE)
    make_user(Role.PHARMACY)  # noise: another pharmacy's
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))


def send(by: User, *records: list[str], cut: bool = False, **how: Any) -> Submission:
    body = submission((ELM, records), complete=not cut)
    received = uploads.receive(filename="a.dat", body=body, by=by, at=NOW, **how)
    return uploads.process(received.id, at=NOW)


def sent_to(done: Submission) -> list[tuple[ChannelName, str]]:
    query = Delivery.select().where(
        Delivery.kind == DeliveryKind.SUBMISSION_RECEIPT,
        Delivery.subject_id == done.id,
    )
    return [(each.channel, each.address) for each in query]


def test_whoever_submitted_has_one_receipt_however_often_a_worker_ends_it(
    elm: User,
) -> None:
    done = send(elm, GOOD)
    uploads.process(done.id, at=NOW)
    receipts.request_receipt(done, at=NOW)

    assert sent_to(done) == [(ChannelName.EMAIL, elm.email)]
    assert Delivery.select().count() == 1


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (ReceiptPolicy.EVERY, ["good", "held", "cut"]),
        (ReceiptPolicy.PROBLEMS, ["held", "cut"]),
        (ReceiptPolicy.NONE, []),
    ],
)
def test_a_user_chooses_of_which_submissions(
    elm: User, policy: ReceiptPolicy, told: list[str]
) -> None:
    receipts.choose(policy, by=elm, at=NOW)
    files = {
        "good": send(elm, GOOD),
        "held": send(elm, HELD),
        "cut": send(elm, fill("3"), cut=True),
    }

    assert [name for name, done in files.items() if sent_to(done)] == told
    event = AuditEvent.get(AuditEvent.event == audit.Event.USER_RECEIPTS_CHOSEN.value)
    assert event.detail == {"receipts": policy.value}
    assert User.get_by_id(elm.id).receipts == policy


def test_a_dry_run_and_a_typed_record_give_none_a_folder_gives_one(elm: User) -> None:
    assert sent_to(send(elm, GOOD, dry_run=True)) == []
    assert sent_to(send(elm, GOOD, source=SubmissionSource.ENTRY)) == []
    assert sent_to(send(elm, fill("5"), source=SubmissionSource.FOLDER))


def test_who_has_no_email_or_prefers_fax_is_faxed(elm: User) -> None:
    make_user(Role.PHARMACY, pharmacy=elm.pharmacy, fax="8605550199")  # a colleague
    elm.fax, elm.preferred_channel = "8605550123", ChannelName.FAX
    elm.save()
    first = send(elm, GOOD)
    assert sent_to(first) == [(ChannelName.FAX, "+18605550123")]
    assert Delivery.get().further_routes == [["email", elm.email]]

    elm.email, elm.fax, elm.preferred_channel = None, None, None
    elm.licence = make_licence(fax="8605550124")
    elm.save()
    assert sent_to(send(elm, fill("2"))) == [(ChannelName.FAX, "+18605550124")]


def test_who_cannot_be_reached_leaves_no_delivery_for_staff(elm: User) -> None:
    elm.email = None
    elm.save()
    done = send(elm, GOOD)

    assert sent_to(done) == []
    assert not Delivery.select().where(Delivery.state == DeliveryState.HELD).exists()
