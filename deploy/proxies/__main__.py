"""Print a proxy's configuration for the deployment that the settings describe."""

from typing import Any
from urllib.parse import urlsplit

import click

from deploy.proxies import RENDERERS
from deploy.proxies.site import DEFAULT_UPSTREAMS, CannotRender, Site
from shared.config.environment import read_settings
from shared.config.settings import SettingsError
from shared.paths import Service

_DEFAULT = Site()


def _upstreams(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> dict[Service, tuple[str, ...]]:
    upstreams = {service: tuple(servers) for service, servers in DEFAULT_UPSTREAMS.items()}
    for value in values:
        name, _separator, servers = value.partition("=")
        if name not in list(Service) or not servers:
            raise click.BadParameter(f"{value} is not SERVICE=SERVER[,SERVER…]")
        upstreams[Service(name)] = tuple(servers.split(","))
    return upstreams


@click.command()
@click.argument("proxy", type=click.Choice(tuple(RENDERERS)))
@click.option("--host", help="Public host, with its port unless that is 443.  [default: OSTIARY_ISSUER's]")
@click.option("--listen", multiple=True, default=_DEFAULT.listen, show_default=True, help="May be repeated.")
@click.option("--internal-listen", default=_DEFAULT.internal_listen, show_default=True)
@click.option(
    "--mtls-listen",
    multiple=True,
    help="Serves the public paths too, asks clients for a certificate, and passes it on as Client-Cert"
    " (RFC 9440). May be repeated. Not for Traefik.  [default: none]",
)
@click.option("--certificate", default=_DEFAULT.certificate, show_default=True)
@click.option(
    "--certificate-key", default=_DEFAULT.certificate_key, show_default=True, help="Not for HAProxy."
)
@click.option("--run-dir", default=_DEFAULT.run_dir, show_default=True, help="For nginx.")
@click.option("--cache-dir", default=_DEFAULT.cache_dir, show_default=True, help="For nginx.")
@click.option(
    "--upstream", "upstreams", multiple=True, callback=_upstreams, metavar="SERVICE=SERVER[,SERVER…]"
)
def main(proxy: str, host: str | None, **site: Any) -> None:
    """Print the configuration of PROXY. Listeners are PORT or ADDRESS:PORT, servers HOST:PORT or unix:PATH.

    Set OSTIARY_ISSUER, OSTIARY_ROOT_ALIASES and OSTIARY_DRAIN_DELAY as for the services.
    """
    try:
        settings = read_settings()
    except SettingsError as error:
        raise click.ClickException("\n".join(error.faults)) from None
    issuer = settings.issuer if "issuer" in settings.model_fields_set else f"https://{_DEFAULT.host}"
    configured = Site(
        host=host or urlsplit(issuer).netloc,
        has_root_aliases=settings.root_aliases,
        drain_delay=settings.drain_delay,
        **site,
    )
    try:
        click.echo(RENDERERS[proxy](configured), nl=False)
    except CannotRender as fault:
        raise click.ClickException(str(fault)) from None


main()
