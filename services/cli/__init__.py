"""The `ostiary` command: each verb calls one function elsewhere.

More than a dozen modules: one for each group of verbs, beside what all of them print and raise.

Exit status 0 done, 1 failed (one plain sentence on stderr), 2 wrong usage.
"""

from typing import Any

import click

from services.cli.lazy_group import LazyGroup
from services.cli.standard_output import lost_output_in_a_sentence
from shared.config.libpq_environment import ignore_libpq_environment

VERBS = {
    "audit": "services.cli.audit:audit",
    "backup": "services.cli.backup:backup",
    "client": "services.cli.client:client",
    "doctor": "services.cli.doctor:doctor",
    "group": "services.cli.group:group",
    "issuer": "services.cli.deployment:issuer",
    "keys": "services.cli.keys:keys",
    "migrate": "services.cli.migrate:migrate",
    "outbox": "services.cli.outbox:outbox",
    "profile": "services.cli.profile:profile",
    "resource": "services.cli.resource:resource",
    "restore": "services.cli.backup:restore",
    "restored": "services.cli.deployment:restored",
    "role": "services.cli.role:role",
    "run": "services.cli.run:run",
    "serve": "services.cli.serve:serve",
    "session": "services.cli.session:session",
    "setup": "services.cli.setup:setup",
    "user": "services.cli.user:user",
}


class _Ostiary(LazyGroup):
    def main(self, *arguments: Any, **options: Any) -> Any:
        with lost_output_in_a_sentence():
            return super().main(*arguments, **options)


@click.group(cls=_Ostiary, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ostiary", message="%(prog)s %(version)s")
def main() -> None:
    """Ostiary: an OpenID Connect provider for people who host their own identity."""
    ignore_libpq_environment()
