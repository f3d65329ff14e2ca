"""`ostiary serve`."""

from importlib import import_module

import click

from services.cli.faults import faults_in_sentences
from shared.paths import Service
from shared.setting_kinds import address
from shared.settings import read_settings
from shared.web.app import Mount, application
from shared.web.log import configure_log
from shared.web.private import private
from shared.web.serve import Listen
from shared.web.serve import serve as serve_application
from shared.web.workers import MAX_WORKERS, keep_workers

ALL = "all"


def _address(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("name", type=click.Choice([*(service.value for service in Service), ALL]))
@click.option(
    "--listen", required=True, callback=_address, metavar="HOST:PORT|unix:PATH", help="Where to listen."
)
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), default=1, show_default=True)
def serve(name: str, listen: str, workers: int) -> None:
    """Serve one service, or all of them in one process; with workers, that many processes on one socket."""
    with faults_in_sentences():
        settings = read_settings()
        request_log = configure_log(settings.log_level, name)
        services = [service for service in Service if name in (service, ALL)]
        mounts = [_mount(service) for service in services]
        listening = Listen(listen).bind()

        def work(index: int) -> None:
            operators = private(needs_postgresql=services != [Service.DISCOVERY], index=index)
            serve_application(
                lambda: application(settings, operators, *mounts, request_log=request_log), listening
            )

        if workers == 1:
            work(0)
        else:
            keep_workers(work, workers)


def _mount(service: Service) -> Mount:
    # Imported by name: a process loads the service that it is.
    mount: Mount = import_module(f"services.{service.replace('-', '_')}.app").mount
    return mount
