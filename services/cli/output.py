"""The output of commands: JSON, a line for each member, or a table. Lists are printed as they are read."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import click
import orjson

from services.cli.standard_output import echo

Members = Mapping[str, Any]

_MEASURED = 100  # the first rows of a table, which decide the width of its columns

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def echo_json(value: Any) -> None:
    echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def show(members: Members, is_json: bool) -> None:
    """One record: JSON, or a line for each member that has a value."""
    if is_json:
        echo_json(members)
        return
    for name, value in members.items():
        if value not in (None, "", [], {}):
            echo(f"{name}: {_text(value)}")


def show_all(records: Sequence[Members], columns: Sequence[str], is_json: bool) -> None:
    """Many records: JSON with every member, or a table of *columns*."""

    async def each() -> AsyncIterator[Members]:
        for record in records:
            yield record

    asyncio.run(show_each(each(), columns, is_json))


async def show_each(records: AsyncIterator[Members], columns: Sequence[str], is_json: bool) -> None:
    """As `show_all`, for records that are printed while they are read."""
    if is_json:
        await _show_list(records)
    else:
        await _show_table(records, columns)


async def _show_list(records: AsyncIterator[Members]) -> None:
    before = "[\n  "
    async for record in records:
        # A line break inside a JSON string is escaped, so each of these ends a line.
        text = orjson.dumps(record, option=orjson.OPT_INDENT_2).decode().replace("\n", "\n  ")
        echo(f"{before}{text}", nl=False)
        before = ",\n  "
    echo("[]" if before.startswith("[") else "\n]")


async def _show_table(records: AsyncIterator[Members], columns: Sequence[str]) -> None:
    rows, widths = [tuple(columns)], None
    async for record in records:
        rows.append(tuple(_text(record.get(name)) for name in columns))
        if widths is not None or len(rows) > _MEASURED:
            widths = widths or _widths(rows)
            _echo_rows(rows, widths)
            rows = []
    _echo_rows(rows, widths or _widths(rows))


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _echo_rows(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    for row in rows:
        echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


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
