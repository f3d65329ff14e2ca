"""Faults that an operator can mend, as one sentence on standard error and exit status 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import click

from deploy.local.child import RunError
from shared.admin.clients import NoSecret, NoSuchClient
from shared.admin.keys import KeyFault
from shared.admin.pydio import BadFile
from shared.admin.users import BadUser, NoSuchUser
from shared.oauth.errors import OAuthError
from shared.oauth.json_text import BadJson
from shared.oauth.wrapping import CannotUnwrap
from shared.settings import SettingsError
from shared.store import Stale, Taken, Unavailable
from shared.store.migrate import MigrationError
from shared.store.open import MissingStore
from shared.web.serve import ListenError

_AS_THEY_ARE = (RunError, ListenError, MigrationError, MissingStore, KeyFault, BadFile, BadUser, BadJson)


def sentence(error: Exception) -> str | None:
    """What to tell the operator of *error*; None for a defect of ours."""
    match error:
        case SettingsError():
            return "\n".join(("The settings do not hold:", *error.faults))
        case OAuthError():
            return f"{error.error}: {error.description}"
        case NoSuchUser():
            return f"There is no user {error}"
        case NoSuchClient():
            return f"There is no client {error}"
        case NoSecret():
            return f"The client {error} authenticates without a client secret"
        case Taken():
            return f"{error} is taken"
        case Stale():
            return f"{error} was changed by someone else in the meantime: try again"
        case CannotUnwrap():
            return f"OSTIARY_SECRET_KEY does not open the key {error}: it was made under another secret"
        case asyncpg.UndefinedTableError():
            return "The database is empty: run `ostiary migrate` first"
        case Unavailable() | OSError() | asyncpg.PostgresError():
            return f"PostgreSQL cannot be reached: {error}"
    return str(error) if isinstance(error, _AS_THEY_ARE) else None


@contextmanager
def faults_in_sentences() -> Iterator[None]:
    """Turn faults that an operator can mend into click's exit status 1."""
    try:
        yield
    except Exception as error:
        if (told := sentence(error)) is None:
            raise
        raise click.ClickException(told) from None
