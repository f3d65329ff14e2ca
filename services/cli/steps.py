"""Runs one step with the deployment's stores."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from deploy.local.run_file import of_running
from services.cli.faults import faults_in_sentences
from shared.config.environment import read_settings
from shared.config.settings import Settings
from shared.operations.deployment import settings_of_deployment
from shared.store.open import Stores, open_stores

T = TypeVar("T")


def settings_here() -> Settings:
    """The settings, completed from the `ostiary run` in the data folder. Raises SettingsError, RunError."""
    return of_running(read_settings())


def run_step(step: Callable[[Stores, Settings], Awaitable[T]]) -> T:
    """Run *step* with the configured stores, or those of the `ostiary run` in the data folder.

    The settings that the running deployment has recorded take precedence.
    """

    async def with_stores(settings: Settings) -> T:
        async with open_stores(settings) as stores:
            return await step(stores, await settings_of_deployment(stores.deployment, settings))

    with faults_in_sentences():
        return asyncio.run(with_stores(settings_here()))
