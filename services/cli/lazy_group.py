"""A group of verbs, each of which is imported when it is named: none pays for what another one needs."""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import click

from shared.process.imports import uncollected_imports


class LazyGroup(click.Group):
    """`verbs`: where each command is, as `module:attribute`, by name."""

    def __init__(self, *arguments: Any, verbs: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *self._verbs})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._verbs and cmd_name not in self.commands:
            with uncollected_imports():
                self.add_command(resolve_name(self._verbs[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)
