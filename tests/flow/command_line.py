"""The `ostiary` command in this process, over the stores of a test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from services.cli import main

Ostiary = Callable[..., Result]


@pytest.fixture
def ostiary(database_url: str, redis_url: str, tmp_path: Path) -> Ostiary:
    """The command, over an empty database."""
    environment = {
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_SECRET_KEY": "s" * 32,
        "OSTIARY_DATA_DIR": str(tmp_path),
        "OSTIARY_SIGNING_ALGORITHMS": "RS256,ES256",
    }

    def invoke(*arguments: str, given: str | None = None, **others: str) -> Result:
        return CliRunner().invoke(main, arguments, input=given, env=environment | others)

    assert invoke("migrate").exit_code == 0
    return invoke


def of(result: Result) -> Any:
    """The JSON that a command printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def verb_of(group: click.Group, name: str) -> click.Command | None:
    """The command of a group's verb."""
    return group.get_command(click.Context(group), name)
