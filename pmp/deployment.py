"""What is wrong with an installation: all of it at once, in sentences."""

import os
import stat
from pathlib import Path

from peewee import PeeweeException

from pmp import database, settings, tables
from pmp.uploads import dropped


def problems() -> list[str]:
    """Look at settings, keys, files, the database and its schema; none is fine.

    Settings that cannot be read are reported alone: the rest hangs on them.
    """
    try:
        chosen = settings.load()
    except settings.SettingsError as error:
        return str(error).splitlines()
    settings.use(chosen)
    return [
        *_keys(chosen),
        *_files(chosen),
        *drop_folders(chosen),
        *_channels(chosen),
        *_database(chosen),
    ]


def _keys(chosen: settings.Settings) -> list[str]:
    keys = {
        chosen.secret_key.get_secret_value(),
        chosen.document_key.get_secret_value(),
    }
    found = []
    if len(keys) == 1:
        found.append("PMP_SECRET_KEY and PMP_DOCUMENT_KEY are the same: make two.")
    if any(len(set(key)) < 8 for key in keys):
        found.append("A key is not random: make it with `openssl rand -hex 32`.")
    return found


def _files(chosen: settings.Settings) -> list[str]:
    paths = [chosen.data_dir]
    if chosen.database_url.startswith("sqlite:///"):
        paths.append(Path(chosen.database_url.removeprefix("sqlite:///")))
    return [
        f"Other users of this machine can read {path}: chmod o-rwx."
        for path in paths
        if path.exists() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)
    ]


def drop_folders(chosen: settings.Settings) -> list[str]:
    """Look at the folders where submission files are dropped: one for each user."""
    folder = dropped.folder_of(chosen)
    if not folder.is_dir():
        missing = f"PMP_SUBMISSIONS_DIR: there is no folder {folder}."
        return [missing] if chosen.submissions_dir else []
    if not os.access(folder, os.R_OK | os.X_OK):
        return [f"The worker cannot look into {folder}."]
    own = [each for each in sorted(folder.iterdir()) if each.is_dir()]
    everyone = stat.S_IROTH | stat.S_IWOTH
    return [
        f"Other users of this machine can read {path}: chmod o-rwx."
        for path in (folder, *own)
        if path.stat().st_mode & everyone
    ] + [
        f"The worker cannot write to {path}: it could take no file in there."
        for path in own
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK)
    ]


def _channels(chosen: settings.Settings) -> list[str]:
    """Name what is set in part; whether a carrier answers is seen by sending."""
    found = []
    fax = chosen.fax_url.get_secret_value()
    if fax.startswith("laml") and not chosen.fax_signing_key.get_secret_value():
        found.append("PMP_FAX_SIGNING_KEY is empty: every call-back will be refused.")
    if fax.startswith("laml+https") and chosen.public_url.startswith("http:"):
        found.append("PMP_PUBLIC_URL must be https: the carrier fetches faxes there.")
    mail = chosen.mail_url.get_secret_value()
    if "tls=none" in mail and not chosen.demo:
        found.append("PMP_MAIL_URL says tls=none: mail crosses the network in clear.")
    return found


def _database(chosen: settings.Settings) -> list[str]:
    try:
        database.use(chosen.database_url)
        with database.connected():
            pending = [f"Migration {name} is pending." for name in database.pending()]
            unknown = [f"Migration {name} is unknown." for name in database.unknown()]
            if pending or unknown:
                return [*pending, *unknown]
            return [f"The schema differs: {line}" for line in tables.differences()]
    except (PeeweeException, OSError) as error:
        return [f"The database does not answer: {type(error).__name__}: {error}"]
