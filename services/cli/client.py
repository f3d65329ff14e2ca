"""`ostiary client`."""

from datetime import timedelta
from typing import BinaryIO

import click

from services.cli.client_add import add, list_presets, show_registered
from services.cli.lazy_group import LazyGroup
from services.cli.output import as_json, show, show_all, show_each
from services.cli.steps import run_step
from shared.codec.json_text import parse_object, parse_value
from shared.config.kinds.durations import parse_duration
from shared.config.settings import Settings
from shared.live import clock
from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import information
from shared.oauth.client.record import Client
from shared.operations import client_import, clients, invitations, pydio
from shared.operations.examination.examine import Examiner
from shared.store import ClientFilter
from shared.store.open import Stores


def _duration(text: str, option: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


VERBS = {
    "check": "services.cli.client_check:check",
    "posture": "services.cli.client_posture:show_posture",
}


@click.group(cls=LazyGroup, verbs=VERBS)
def client() -> None:
    """Manage clients."""


client.add_command(add)
client.add_command(list_presets)


@client.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--external-url", "external_urls", multiple=True, help="Origin for Cells' #binds#; may be repeated."
)
@click.option("--prune", is_flag=True, help="Delete the clients that are not in FILE.")
@as_json
def import_clients(file: BinaryIO, external_urls: tuple[str, ...], prune: bool, is_json: bool) -> None:
    """Import Cells' pydio.json, or a JSON list of client metadata (RFC 7591)."""

    async def step(stores: Stores, settings: Settings) -> client_import.ImportReport:
        urls = external_urls or settings.external_urls or (settings.origin,)
        client_file = pydio.read(parse_value(file.read()), urls, clients.allowed_by(settings))
        examiner = Examiner.of(stores, settings.issuer)
        return await client_import.import_clients(
            stores.clients, client_file, clients.allowed_by(settings), examiner, prune=prune
        )

    report = run_step(step)
    for note in report.notes:
        click.echo(note, err=True)
    show_all(report.rows, ("client_id", "result", "client_secret"), is_json)
    if report.is_empty:
        raise click.ClickException("No client was imported")


@client.command(name="list")
@click.option("--documents", is_flag=True, help="Those whose client_id is the URL of a document.")
@as_json
def list_clients(documents: bool, is_json: bool) -> None:
    """List all clients by client_id."""

    columns = ("client_id", "client_name", "token_endpoint_auth_method", "is_disabled")

    async def step(stores: Stores, _: Settings) -> None:
        matching = clients.every_client(stores.clients, ClientFilter(is_document=documents))
        listed = (information(each, Reader.OPERATORS) async for each in matching)
        await show_each(listed, columns, is_json)

    run_step(step)


@client.command(name="show")
@click.argument("client_id", metavar="ID")
@as_json
def show_client(client_id: str, is_json: bool) -> None:
    """Show the effective metadata of one client."""

    async def step(stores: Stores, _: Settings) -> Client:
        return await clients.get(stores.clients, client_id)

    show(information(run_step(step), Reader.OPERATORS), is_json)


@client.command()
@click.argument("client_id", metavar="ID")
@click.argument("file", type=click.File("rb"))
@as_json
def update(client_id: str, file: BinaryIO, is_json: bool) -> None:
    """Change the metadata members in FILE; null restores a default."""

    async def step(stores: Stores, settings: Settings) -> clients.Registered:
        changes, allowed = parse_object(file.read()), clients.allowed_by(settings)
        updated = await clients.update_client(stores.clients, client_id, changes, allowed)
        return await Examiner.of(stores, settings.issuer).examined(updated)

    show_registered(run_step(step), is_json)


@client.command()
@click.argument("client_id", metavar="ID")
@click.option("--overlap", metavar="DURATION", help="How long the old secret still works, such as 7d.")
@as_json
def rotate_secret(client_id: str, overlap: str | None, is_json: bool) -> None:
    """Create a new secret, shown once. The old one stops working, or after the overlap."""
    overlap_time = _duration(overlap, "--overlap") if overlap else timedelta(0)
    if overlap_time > clients.MAX_OVERLAP:
        raise click.BadParameter(f"at most {clients.MAX_OVERLAP.days}d", param_hint="--overlap")

    async def step(stores: Stores, _: Settings) -> clients.Registered:
        current = await clients.get(stores.clients, client_id)
        return await clients.rotate_secret(stores.clients, current, clock.now(), overlap_time)

    show(run_step(step).secrets(), is_json)


@client.command()
@click.argument("client_id", metavar="ID")
def disable(client_id: str) -> None:
    """Disable a client: its requests are refused."""

    async def step(stores: Stores, _: Settings) -> None:
        await clients.get(stores.clients, client_id)
        await stores.clients.disable(client_id)

    run_step(step)


@client.command()
@click.argument("client_id", metavar="ID")
def enable(client_id: str) -> None:
    """Enable a client again."""

    async def step(stores: Stores, _: Settings) -> None:
        await clients.get(stores.clients, client_id)
        await stores.clients.enable(client_id)

    run_step(step)


@client.command()
@click.argument("client_id", metavar="URL")
@click.option("--withdraw", is_flag=True, help="Withdraw the approval; a client that is in use stays.")
def approve(client_id: str, withdraw: bool) -> None:
    """Approve the client whose metadata document is at URL.

    Needed before its first use where OSTIARY_CLIENT_ID_METADATA is ask.
    """

    async def step(stores: Stores, _: Settings) -> None:
        decide = stores.client_documents.withdraw if withdraw else stores.client_documents.approve
        if not client_id.startswith("https://"):
            raise click.BadParameter("must be an https URL", param_hint="URL")
        await decide(client_id)

    run_step(step)


@client.command()
@click.argument("client_id", metavar="ID")
@as_json
def revoke_grants(client_id: str, is_json: bool) -> None:
    """Revoke every grant of a client, with its tokens and codes. Sessions and consents remain.

    Grants are counted up to 10000.
    """

    async def step(stores: Stores, _: Settings) -> int:
        await clients.get(stores.clients, client_id)
        number = await stores.grants.count_of_client(client_id)
        await stores.clients.revoke_grants(client_id)
        return number

    show({"client_id": client_id, "grants_revoked": run_step(step)}, is_json)


@client.command()
@click.argument("client_id", metavar="ID")
def delete(client_id: str) -> None:
    """Delete a client. Its grants and consents end at once; a worker removes them."""

    async def step(stores: Stores, _: Settings) -> None:
        await clients.get(stores.clients, client_id)
        await stores.clients.delete(client_id)

    run_step(step)


@client.command()
@click.option("--uses", type=click.IntRange(1, invitations.MAX_USES), default=1, show_default=True)
@click.option(
    "--expires", default="1d", show_default=True, metavar="DURATION", help="Lifetime, such as 12h or 7d."
)
@as_json
def invite(uses: int, expires: str, is_json: bool) -> None:
    """Print an initial access token, which lets a client register itself."""
    lifetime = _duration(expires, "--expires")

    async def step(stores: Stores, _: Settings) -> invitations.Invitation:
        return await invitations.invite(stores.initial_access_tokens, uses, clock.now() + lifetime)

    invitation = run_step(step)
    if is_json:
        show(invitation.members(), is_json)
    else:
        click.echo(invitation.token)
