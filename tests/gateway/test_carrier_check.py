"""fax check: what is wrong with a carrier, told without sending a fax."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.channels import fax_sinch
from pmp import settings
from portal.cli.fax import fax
from tests.gateway.conftest import sends_to
from tests.servers.carrier import Carrier
from tests.servers.sinch import Sinch


@pytest.fixture
def sinch() -> Iterator[Sinch]:
    with Sinch() as running, sinch_settings(running):
        yield running


def sinch_settings(carrier: Sinch, **changes: Any) -> Any:
    changes = {"fax_url": carrier.url, "channel_timeout_seconds": 1, **changes}
    return settings.changed(**changes)


def check() -> Result:
    with settings.changed(channel_timeout_seconds=20):
        return CliRunner().invoke(fax, ["check"])


def wrong(result: Result) -> list[str]:
    return [line for line in result.output.splitlines() if line.startswith("WRONG")]


def test_files_instead_of_faxes_are_said_to_be_that() -> None:
    result = check()

    assert (result.exit_code, result.output.count("\n")) == (0, 1)
    assert "nothing is sent" in result.output


def test_a_laml_carrier_is_tried_without_a_fax(calling: Carrier) -> None:
    result = check()

    [line] = wrong(result)
    assert line.endswith("is not https: the carrier fetches faxes there.")
    assert result.exit_code == 1
    for said in (
        "ok     Signed in as project project-1.",
        "ok     +18607137242 is a number of this account.",
        "is this program, seen from here.",
        "?      Whether the carrier reaches",
    ):
        assert said in result.output
    assert calling.taken == []
    assert "token-1" not in result.output


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fax_number": "+18605550199"}, "+18605550199 is not a number of this"),
        ({"fax_signing_key": ""}, "PMP_FAX_SIGNING_KEY is empty"),
        ({"fax_media_hosts": "https://files.example.org/"}, "is no host"),
        ({"public_url": "http://127.0.0.1:9"}, "does not answer from here"),
    ],
)
def test_what_is_wrong_with_a_laml_carrier_is_named(
    calling: Carrier, changes: dict[str, str], said: str
) -> None:
    with settings.changed(**changes):
        result = check()

    assert result.exit_code == 1
    assert any(said in line for line in wrong(result))


def test_an_address_that_is_another_program_is_named(calling: Carrier) -> None:
    with settings.changed(public_url=f"http://{calling.host}"):
        result = check()

    assert any("not as this program" in line for line in wrong(result))


def test_a_carrier_that_does_not_know_us_is_named(calling: Carrier) -> None:
    with settings.changed(fax_url=calling.url.replace("token-1", "token-2")):
        result = check()

    assert any("answers 401: check the names" in line for line in wrong(result))
    assert "token-2" not in result.output


def test_a_carrier_that_is_not_there_is_named() -> None:
    with Carrier() as gone:
        pass
    with sends_to(gone):
        result = check()

    assert any("no answer" in line and "firewall" in line for line in wrong(result))


def test_sinch_is_tried_without_a_fax(sinch: Sinch) -> None:
    result = check()

    assert (result.exit_code, wrong(result)) == (0, [])
    assert "Signed in with the access key." in result.output
    assert "The fax service is Program." in result.output
    assert "No public address is needed" in result.output
    assert sinch.taken == []


def test_sinch_works_where_its_reports_do_not_arrive(
    sinch: Sinch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fax_sinch, "is_reachable", lambda _: True)
    with settings.changed(public_url="http://127.0.0.1:9"):
        result = check()

    assert (result.exit_code, wrong(result)) == (0, [])
    assert "?      http://127.0.0.1:9 does not answer from here" in result.output


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("number", "+18607137242 is not a number"),
        ("service", "There is no fax service service-1."),
        ("key", "answers 401"),
        ("project", "answers 404"),
        ("storage", "neither keeps faxes that come in nor reports them"),
    ],
)
def test_what_is_wrong_with_sinch_is_named(sinch: Sinch, fault: str, said: str) -> None:
    url = sinch.url
    if fault == "number":
        sinch.numbers = []
    if fault == "service":
        sinch.services = []
    if fault == "storage":
        sinch.services[0]["saveInboundFaxDocuments"] = False
    changed = {"key": ("secret-1", "guess"), "project": ("project-1", "project-2")}
    with sinch_settings(sinch, fax_url=url.replace(*changed.get(fault, ("", "")))):
        result = check()

    assert result.exit_code == 1
    assert any(said in line for line in wrong(result))
