"""Errors that an operator can fix, as one sentence on standard error and exit status 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import click

from deploy.local.child import RunError
from shared.codec.json_text import BadJson
from shared.codec.wrapping import CannotUnwrap
from shared.config.settings import SettingsError
from shared.oauth.errors import OAuthError
from shared.operations.backup.make import BackupError
from shared.operations.backup.manifest import BadBackup
from shared.operations.clients import NoSecret, NoSuchClient
from shared.operations.deployment import BadMoment, PasskeysStranded, WrongIssuer
from shared.operations.grants import NoSuchGrant
from shared.operations.groups import BadGroup, NoSuchGroup
from shared.operations.keys import KeyFault
from shared.operations.personal_access_tokens import BadTokenRequest, NoSuchToken
from shared.operations.protected_resources import NoSuchResource
from shared.operations.pydio import BadFile
from shared.operations.recovery import UserDisabled
from shared.operations.refusals.check import RefusalsUnavailable
from shared.operations.sessions import NoSuchSession
from shared.operations.setup import SetupError
from shared.operations.user_import import BadUserFile
from shared.operations.users import BadUser, NoSuchUser
from shared.server.serve import ListenError
from shared.store import Full, Stale, Taken, Unavailable
from shared.store.dump import DumpError
from shared.store.migrate import MigrationError
from shared.store.open import MissingStore

_SENTENCES: dict[type[Exception], str] = {
    RunError: "{}",
    ListenError: "{}",
    MigrationError: "{}",
    MissingStore: "{}",
    KeyFault: "{}",
    BackupError: "{}",
    BadBackup: "{}",
    DumpError: "The tools of PostgreSQL failed: {}",
    WrongIssuer: "{}",
    PasskeysStranded: "{}",
    BadMoment: "{}",
    SetupError: "{}",
    BadFile: "{}",
    BadUser: "{}",
    BadUserFile: "{}",
    BadGroup: "{}",
    BadJson: "The file cannot be read: {}",
    NoSuchUser: "There is no user {}",
    UserDisabled: "{} is disabled: run `ostiary user enable` first",
    NoSuchGroup: "There is no group {}",
    NoSuchSession: "The user has no session {}",
    BadTokenRequest: "{}",
    NoSuchToken: "The user has no personal access token {}",
    NoSuchGrant: "There is no grant {}",
    NoSuchClient: "There is no client {}",
    NoSuchResource: "There is no resource {}",
    Full: "The limit is reached: {}",
    RefusalsUnavailable: "{}",
    NoSecret: "The client {} authenticates without a client secret",
    Taken: "{} is taken",
    Stale: "{} was changed by somebody else at the same time: try again",
    CannotUnwrap: "OSTIARY_SECRET_KEY does not decrypt the key {}, which was encrypted with another secret",
    asyncpg.UndefinedTableError: "The database is older than this version: run `ostiary migrate` ({})",
    asyncpg.UndefinedColumnError: "The database is older than this version: run `ostiary migrate` ({})",
    Unavailable: "A store cannot be reached: {}",
    OSError: "PostgreSQL cannot be reached: {}",
    asyncpg.PostgresError: "PostgreSQL cannot be reached: {}",
}


def sentence(error: Exception) -> str | None:
    """The sentence for the operator, or None for a defect."""
    if isinstance(error, SettingsError):
        return "\n".join(("The settings are invalid:", *error.faults))
    if isinstance(error, OAuthError):
        return f"{error.error}: {error.description}"
    return next(
        (message.format(error) for kind, message in _SENTENCES.items() if isinstance(error, kind)), None
    )


@contextmanager
def faults_in_sentences() -> Iterator[None]:
    """Turn errors that an operator can fix into click's exit status 1."""
    try:
        yield
    except Exception as error:
        if (message := sentence(error)) is None:
            raise
        raise click.ClickException(message) from None
