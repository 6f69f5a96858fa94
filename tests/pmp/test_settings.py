"""Settings: read once, typed, every wrong one named at once."""

from pathlib import Path

import pytest

from pmp import deployment, settings
from pmp.asap import Gravity, Use
from pmp.uploads.programme import programme

RIGHT = {"PMP_SECRET_KEY": "s3cr3t-key-" * 4, "PMP_DOCUMENT_KEY": "d0cument-key-" * 4}


def test_every_wrong_setting_is_named_at_once() -> None:
    wrong = RIGHT | {
        "PMP_TIME_ZONE": "Connecticut",
        "PMP_PUBLIC_URL": "http://pmp.example.org",
        "PMP_DATABASE_URL": "mysql://x",
        "PMP_LOCK_AFTER": "often",
        "PMP_HAT": "red",
        "PMP_MME_RULE_SET": "CDC 1066",
        "PMP_REPORTING_POLICY": "whenever",
        "PMP_MAIL_URL_FILE": "/nowhere/mail",
        "PMP_ASAP_VERSIONS": "3.0",
        "PMP_ASAP_PROFILE": "PAT7=required",
        "PMP_ASAP_SEVERITIES": "F01=off",
    }
    with pytest.raises(settings.SettingsError) as refused:
        settings.load(wrong)
    named = {line.split(":")[0] for line in str(refused.value).splitlines()}
    assert named == set(wrong) - set(RIGHT)


def test_a_short_or_missing_key_is_refused() -> None:
    with pytest.raises(settings.SettingsError, match=r"SECRET_KEY: .*\nPMP_DOC"):
        settings.load({})
    with pytest.raises(settings.SettingsError, match="PMP_DOCUMENT_KEY"):
        settings.load(RIGHT | {"PMP_DOCUMENT_KEY": "short"})


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file-" * 4 + "\n")
    chosen = settings.load(
        {
            "PMP_SECRET_KEY_FILE": str(secret),
            "PMP_DOCUMENT_KEY": RIGHT["PMP_DOCUMENT_KEY"],
            "OTHER_VARIABLE": "noise",
        }
    )
    assert chosen.secret_key.get_secret_value() == "from-a-file-" * 4


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    chosen = settings.load(RIGHT | {"PMP_MAIL_URL": "smtp://u:hunter2@127.0.0.1:25"})
    assert "hunter2" not in repr(chosen)
    assert "s3cr3t" not in repr(chosen)


def test_a_call_that_may_outlast_its_lease_is_refused() -> None:
    with pytest.raises(settings.SettingsError, match="LEASE_SECONDS"):
        settings.load(
            RIGHT | {"PMP_LEASE_SECONDS": "10", "PMP_CHANNEL_TIMEOUT_SECONDS": "10"}
        )


def test_clear_text_to_a_carrier_is_for_this_machine_alone() -> None:
    settings.load(RIGHT | {"PMP_FAX_URL": "laml+http://p:t@127.0.0.1:9/api"})
    with pytest.raises(settings.SettingsError, match="laml\\+https"):
        settings.load(RIGHT | {"PMP_FAX_URL": "laml+http://p:t@example.org/api"})
    settings.load(RIGHT | {"PMP_FAX_URL": "sinch+http://k:s@127.0.0.1:9/project"})
    with pytest.raises(settings.SettingsError, match="sinch\\+https"):
        settings.load(RIGHT | {"PMP_FAX_URL": "sinch+http://k:s@example.org/project"})


@pytest.mark.parametrize(
    "address",
    [
        "sinch+https://k:hunter2@fax.api.sinch.com",
        "sinch+https://k:hunter2@fax.api.sinch.com/",
        "telnyx+https://k:hunter2@example.org/x",
        "https://k:hunter2@example.org/x",
    ],
)
def test_a_fax_address_that_names_no_carrier_is_refused_without_its_secret(
    address: str,
) -> None:
    with pytest.raises(settings.SettingsError, match="PMP_FAX_URL") as refused:
        settings.load(RIGHT | {"PMP_FAX_URL": address})
    assert "hunter2" not in str(refused.value)


def test_check_names_weak_keys_open_files_and_a_database_without_tables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    for name, value in {
        "PMP_SECRET_KEY": "k" * 40,
        "PMP_DOCUMENT_KEY": "k" * 40,
        "PMP_DATA_DIR": str(tmp_path),
        "PMP_DATABASE_URL": f"sqlite:///{tmp_path}/new.db",
        "PMP_FAX_URL": "laml+http://p:t@127.0.0.1:9/api",
    }.items():
        monkeypatch.setenv(name, value)
    found = "\n".join(deployment.problems())
    assert "are the same" in found
    assert "not random" in found
    assert str(tmp_path) in found
    assert "PMP_FAX_SIGNING_KEY" in found
    assert "0001_first_tables is pending" in found


def test_a_programmes_own_rules_are_read_from_the_settings() -> None:
    chosen = settings.load(
        RIGHT
        | {
            "PMP_ASAP_VERSIONS": "4.2B, 5.0",
            "PMP_ASAP_PROFILE": "PAT17=required,DSP24=not_used",
            "PMP_ASAP_SEVERITIES": "W01=fatal",
            "PMP_KEEP_SOCIAL_SECURITY_NUMBERS": "true",
        }
    )
    before = settings.current()
    settings.use(chosen)
    try:
        found = programme()
        assert programme() is found
    finally:
        settings.use(before)

    assert found.accepted == {"4.2B", "5.0"}
    assert found.uses == {"PAT17": Use.REQUIRED, "DSP24": Use.NOT_USED}
    assert found.gravities == {"W01": Gravity.FATAL}
    assert found.keeps_social_security_numbers
    assert programme() is not found


def test_a_wrong_rule_is_refused_with_what_may_be_done() -> None:
    for name, value, words in (
        ("PROFILE", "DSP08=optional", "DSP08 stays required"),
        ("SEVERITIES", "E05=off", "can be fatal, error"),
        ("VERSIONS", "4.2C", "use 4.0, 4.1"),
    ):
        with pytest.raises(settings.SettingsError, match=words):
            settings.load(RIGHT | {f"PMP_ASAP_{name}": value})
