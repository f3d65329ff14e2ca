"""Errors that an operator can fix, as one sentence on standard error and exit status 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import click

from shared.oauth.errors import OAuthError
from shared.process.operator_error import OperatorError


def sentence(error: Exception) -> str | None:
    """The sentence for the operator, or None for a defect."""
    match error:
        case OperatorError():
            return error.sentence
        case OAuthError():
            return f"{error.error}: {error.description}"
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError():
            return f"The database is older than this version: run `ostiary migrate` ({error})"
        case OSError() | asyncpg.PostgresError():
            return f"PostgreSQL cannot be reached: {error}"
    return None


@contextmanager
def faults_in_sentences() -> Iterator[None]:
    """Turn errors that an operator can fix into click's exit status 1."""
    try:
        yield
    except Exception as error:
        if (message := sentence(error)) is None:
            raise
        raise click.ClickException(message) from None
