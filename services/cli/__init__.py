"""The `ostiary` command: each verb calls one function elsewhere.

More than a dozen modules: one for each group of verbs, beside what all of them print and raise.

Exit status 0 done, 1 failed (one plain sentence on stderr), 2 wrong usage.
"""

from importlib.metadata import version
from typing import Any

import click

from services.cli.audit import audit
from services.cli.backup import backup, restore
from services.cli.client import client
from services.cli.client_check import check
from services.cli.client_posture import show_posture
from services.cli.deployment import issuer, restored
from services.cli.doctor import doctor
from services.cli.group import group
from services.cli.keys import keys
from services.cli.migrate import migrate
from services.cli.outbox import outbox
from services.cli.output import lost_output_in_a_sentence
from services.cli.profile import profile
from services.cli.resource import resource
from services.cli.run import run
from services.cli.serve import serve
from services.cli.session import session
from services.cli.setup import setup
from services.cli.user import user
from shared.config.settings import ignore_libpq_environment


class _Ostiary(click.Group):
    def main(self, *arguments: Any, **options: Any) -> Any:
        with lost_output_in_a_sentence():
            return super().main(*arguments, **options)


@click.group(cls=_Ostiary, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("ostiary"), message="%(prog)s %(version)s")
def main() -> None:
    """Ostiary: an OpenID Connect provider for people who host their own identity."""
    ignore_libpq_environment()


client.add_command(check)
client.add_command(show_posture)
for command in (
    *(run, setup, serve, migrate, backup, restore, restored, issuer),
    *(user, group, session, client, profile, resource, keys, outbox, audit, doctor),
):
    main.add_command(command)
