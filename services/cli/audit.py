"""`ostiary audit`."""

from collections.abc import Sequence
from typing import Any, TextIO

import click
import orjson

from services.cli.output import as_json, show, show_all
from services.cli.standard_output import echo
from services.cli.steps import run_step
from shared.codec.json_text import parse_object
from shared.config.settings import Settings
from shared.live import clock
from shared.live.keyring import open_keys
from shared.model import AuditRecord
from shared.operations.audit.chain import checkpoint_key
from shared.operations.audit.verify import Verification, verify_log
from shared.operations.keys import KeyFault
from shared.store.open import Stores

_COLUMNS = ("audit_id", "at", "event", "user_id", "client_id", "detail")
_PAGE = 1000


def _shown(record: AuditRecord) -> dict[str, Any]:
    return {
        "audit_id": record.audit_id,
        "at": record.at.isoformat(),
        "event": record.event,
        "user_id": None if record.user_id is None else str(record.user_id),
        "client_id": record.client_id,
        "detail": dict(record.detail),
    }


@click.group()
def audit() -> None:
    """Read and verify the audit log."""


@audit.command(name="list")
@click.option("--event", help="Only this event.")
@click.option("--client", "client_id", help="Only this client.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@as_json
def list_rows(event: str | None, client_id: str | None, limit: int, is_json: bool) -> None:
    """List the latest rows, oldest first."""

    async def step(stores: Stores, _: Settings) -> Sequence[AuditRecord]:
        return await stores.audit_log.latest(limit, event=event, client_id=client_id)

    show_all([_shown(record) for record in run_step(step)], _COLUMNS, is_json)


@audit.command()
@click.option("--after", type=int, default=0, help="Only rows after the one with this audit_id.")
def export(after: int) -> None:
    """Print every row as a line of JSON, and then the checkpoint of every segment."""

    async def step(stores: Stores, _: Settings) -> None:
        position = after
        while rows := await stores.audit_log.list(position, _PAGE):
            for record in rows:
                echo(orjson.dumps(_shown(record)).decode())
            position = rows[-1].audit_id
        position = 0
        while segments := await stores.audit_log.segments(position, _PAGE):
            for segment in segments:
                shown = {"segment": segment.segment_id, "checkpoint": segment.checkpoint}
                echo(orjson.dumps(shown).decode())
            position = segments[-1].segment_id

    run_step(step)


@audit.command()
@click.option(
    "--checkpoints",
    type=click.File("r"),
    help="Checkpoints kept elsewhere: an export, or one a line.",
)
@as_json
def verify(checkpoints: TextIO | None, is_json: bool) -> None:
    """Report rows that were altered, deleted, moved or cut off since they were sealed."""
    exported = _read_checkpoints(checkpoints) if checkpoints else []

    async def step(stores: Stores, settings: Settings) -> Verification:
        salt = open_keys(await stores.keys.load(), settings.secret_keys).salt
        if salt is None:
            raise KeyFault("there is no key to verify the audit log with")
        key = checkpoint_key(salt).public_key()
        return await verify_log(stores.audit_log, key, clock.now(), settings.audit_retention, exported)

    verification = run_step(step)
    show(
        {
            "segments": verification.segments,
            "rows": verification.rows,
            "unsealed": verification.unsealed,
            "faults": verification.faults,
        },
        is_json,
    )
    if verification.faults:
        raise SystemExit(1)


def _read_checkpoints(file: TextIO) -> list[str]:
    """The checkpoints of an export, or of a file that has one a line."""
    checkpoints = []
    for line in file:
        if not line.startswith("{"):
            checkpoints.append(line.strip())
        elif checkpoint := parse_object(line.encode()).get("checkpoint"):
            checkpoints.append(checkpoint)
    return [text for text in checkpoints if text]
