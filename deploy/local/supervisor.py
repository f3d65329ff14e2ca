"""Keeps children running. A child that exits is restarted; one that keeps exiting ends the run."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from deploy.local.child import Child, Command, RunError

RESTART_WINDOW = 30.0  # a child that exits twice within this time ends the run


@dataclass(slots=True)
class Supervisor:
    """The children of one run, in the order in which they were started.

    `changed` must be set whenever a child of this process ends (SIGCHLD).
    """

    say: Callable[[str], None]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _groups: list[tuple[Child, ...]] = field(default_factory=list)
    _starting: list[Child] = field(default_factory=list)
    _died_at: dict[str, float] = field(default_factory=dict)

    async def start(self, commands: Iterable[Command]) -> None:
        """Start *commands* together and wait until all are ready. Raises RunError if one will not be."""
        children = tuple(Child(command) for command in commands)
        self._groups.append(children)
        try:
            async with asyncio.TaskGroup() as starts:
                for child in children:
                    starts.create_task(self._start(child))
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None

    async def keep(self) -> None:
        """Restart children that exit, until cancelled. Raises RunError if one exits twice within 30 s."""
        try:
            async with asyncio.TaskGroup() as restarts:
                while True:
                    self.changed.clear()
                    for child in self._dead():
                        self._note(child.command)
                        restarts.create_task(self._start(child))
                        await asyncio.sleep(0)  # so that it counts as starting
                    await self.changed.wait()
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None

    async def _start(self, child: Child) -> None:
        self._starting.append(child)
        await child.start()
        self._starting.remove(child)
        self.changed.set()  # the child may have exited since

    def _dead(self) -> list[Child]:
        children = (child for group in self._groups for child in group)
        return [child for child in children if not child.is_running and child not in self._starting]

    def _note(self, command: Command) -> None:
        now = time.monotonic()
        if now - self._died_at.get(command.name, -RESTART_WINDOW) < RESTART_WINDOW:
            raise RunError(
                f"{command.name} exited twice within {RESTART_WINDOW:.0f} s, so everything stops;"
                f" its log: {command.log}"
            )
        self._died_at[command.name] = now
        self.say(f"{command.name} exited and is restarted; its log: {command.log}")

    async def stop(self) -> None:
        """Stop all children in the reverse order of their start."""
        if self._groups:
            with suppress(OSError):  # the terminal may be gone
                self.say("Stopping …")
        while self._groups:
            await asyncio.gather(*(child.stop() for child in self._groups.pop()))
