"""`ostiary client add` and `ostiary client presets`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from deploy.applications import preset as applications
from deploy.applications.library import presets as installed_presets
from deploy.applications.preset import Preset, UnknownValue
from deploy.applications.url import application_url
from services.cli.output import as_json, show, show_all
from services.cli.standard_output import echo
from services.cli.steps import run_step
from shared.codec.json_text import parse_object
from shared.config.settings import Settings
from shared.model import Json
from shared.operations import clients
from shared.operations.examination.examine import Examiner
from shared.store.open import Stores

_FIRST = ("client_secret", "client_id", "issuer", "discovery")
_ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "jwks_uri",
)


def _preset(_: click.Context, __: click.Parameter, name: str | None) -> Preset | None:
    if name is None:
        return None
    if preset := installed_presets().get(name.lower()):
        return preset
    raise click.BadParameter(f"there is no preset {name}; `ostiary client presets` lists them")


def _url(text: str | None, *, is_insecure_allowed: bool) -> str | None:
    try:
        return None if text is None else application_url(text, is_insecure_allowed=is_insecure_allowed)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None


def _application_values(preset: Preset, url: str | None, assignments: tuple[str, ...]) -> dict[str, str]:
    if url is None and preset.needs_url:
        raise click.UsageError(f"{preset.title} needs --url, such as --url https://app.example.org")
    pairs = [text.partition("=") for text in assignments]
    if malformed := next((text for text, equals, _ in pairs if not equals), None):
        raise click.UsageError(f"{malformed}: values look like NAME=value")
    try:
        values = applications.chosen_values(preset, {name: value for name, _, value in pairs})
    except UnknownValue as error:
        raise click.UsageError(str(error)) from None
    host = (url or "").partition("//")[2].partition("/")[0]
    return {"url": url or "", "host": host, **values}


def _described(arguments: tuple[str, ...]) -> Json:
    """The metadata in the file that the only argument names."""
    if len(arguments) != 1:
        raise click.UsageError("Give one FILE, or --for PRESET")
    file = click.File("rb").convert(arguments[0], None, click.get_current_context())
    return parse_object(file.read())


@click.command()
@click.argument("arguments", nargs=-1, metavar="FILE | --for PRESET [NAME=value]...")
@click.option("--for", "preset", callback=_preset, metavar="PRESET", help="An application that has a preset.")
@click.option("--url", help="The URL of the application, with --for.")
@click.option(
    "--allow-insecure-redirects",
    is_flag=True,
    help="Accept redirect URIs that are http on a private network: for test networks.",
)
@as_json
def add(
    arguments: tuple[str, ...],
    preset: Preset | None,
    url: str | None,
    allow_insecure_redirects: bool,
    is_json: bool,
) -> None:
    """Add the client that FILE describes (RFC 7591 metadata), or that an application needs.

    Its secret is shown once, with what to enter in the application.
    """
    if preset is None and url is not None:
        raise click.UsageError("--url goes with --for")
    url = _url(url, is_insecure_allowed=allow_insecure_redirects)
    values = {} if preset is None else _application_values(preset, url, arguments)

    async def step(stores: Stores, settings: Settings) -> tuple[clients.Registered, dict[str, str]]:
        provider = applications.provider_values(settings.issuer)
        if preset is None:
            metadata = _described(arguments)
        else:
            metadata = applications.rendered_metadata(preset, {**values, **provider})
        if allow_insecure_redirects:
            metadata = {**metadata, "allow_insecure_redirects": True}
        added = await clients.add_client(stores.clients, metadata, clients.allowed_by(settings))
        return await Examiner.of(stores, settings.issuer).examined(added), provider

    registered, provider = run_step(step)
    credentials = {
        "client_id": registered.client.client_id,
        "client_secret": registered.client_secret or "",
    }
    _show(registered, provider, preset, {**values, **provider, **credentials}, is_json)
    _show_warnings(registered)


def show_registered(registered: clients.Registered, is_json: bool) -> None:
    """The client, and the warnings on standard error."""
    show(_shown(registered, is_json), is_json)
    _show_warnings(registered)


def _shown(registered: clients.Registered, is_json: bool) -> dict[str, Any]:
    """The members to print: the warnings are among them in JSON only."""
    members = registered.members()
    return members if is_json else {name: value for name, value in members.items() if name != "warnings"}


def _show_warnings(registered: clients.Registered) -> None:
    for warning in registered.warnings:
        click.echo(f"Warning: {warning}", err=True)


def _show(
    registered: clients.Registered,
    provider: Mapping[str, str],
    preset: Preset | None,
    values: Mapping[str, str],
    is_json: bool,
) -> None:
    provided = {"issuer": provider["issuer"], "discovery": provider["discovery"]}
    members = {**provided, **_shown(registered, is_json)}
    settings = applications.rendered_settings(preset, values) if preset else ()
    notes = applications.rendered_notes(preset, values) if preset else ()
    if is_json:
        endpoints = {name: provider[name] for name in applications.ENDPOINTS}
        shown: dict[str, Any] = {**members, "endpoints": endpoints}
        if preset:
            shown |= {"preset": preset.name, "settings": [asdict(each) for each in settings], "notes": notes}
        show(shown, is_json)
        return
    in_order: dict[str, Any] = {name: members[name] for name in _FIRST if name in members}
    in_order |= {name: provider[name] for name in _ENDPOINTS}
    show({**in_order, "redirect_uris": members.get("redirect_uris"), **members}, is_json)
    for setting in settings:
        echo(f"\n{setting.where}:\n\n{setting.lines.rstrip()}")
    for note in notes:
        echo(f"\nNote: {note}")
    if preset:
        echo("\nDocumentation: " + " ".join(preset.documentation))


@click.command(name="presets")
@as_json
def list_presets(is_json: bool) -> None:
    """List the applications that `client add --for` knows."""
    rows = [
        {
            "name": preset.name,
            "title": preset.title,
            "needs_url": preset.needs_url,
            "values": dict(preset.values),
            "tested": preset.tested,
            "documentation": preset.documentation,
        }
        for preset in installed_presets().values()
    ]
    show_all(rows, ("name", "title", "tested"), is_json)
