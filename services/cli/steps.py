"""Running one step over the deployment's stores, and showing what it gives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
import orjson

from deploy.local.run_file import of_running
from services.cli.faults import faults_in_sentences
from shared.settings import Settings, read_settings
from shared.store.open import Stores, open_stores

T = TypeVar("T")
Members = Mapping[str, Any]

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def settings_here() -> Settings:
    """The settings, completed from the `ostiary run` in the data folder. Raises SettingsError, RunError."""
    return of_running(read_settings())


def run_step(step: Callable[[Stores, Settings], Awaitable[T]]) -> T:
    """Run *step* over the stores that are set, or those of the `ostiary run` in the data folder."""

    async def with_stores(settings: Settings) -> T:
        async with open_stores(settings) as stores:
            return await step(stores, settings)

    with faults_in_sentences():
        return asyncio.run(with_stores(settings_here()))


async def collected(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


def echo_json(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def show(members: Members, is_json: bool) -> None:
    """One record: JSON, or a line for each member that has a value."""
    if is_json:
        echo_json(members)
        return
    for name, value in members.items():
        if value not in (None, "", [], {}):
            click.echo(f"{name}: {_text(value)}")


def show_all(records: Sequence[Members], columns: Sequence[str], is_json: bool) -> None:
    """Many records: JSON with every member, or a table of *columns*."""
    if is_json:
        echo_json(list(records))
        return
    rows = [tuple(columns), *(tuple(_text(record.get(name)) for name in columns) for record in records)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return " ".join(map(str, value))
        case Mapping():
            return orjson.dumps(value).decode()
    return str(value)
