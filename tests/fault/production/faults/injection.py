"""What a fault is: a function that brings it about, and heals what does not heal by itself."""

import random
from collections.abc import Awaitable, Callable

from deploy.local.child import Child
from tests.fault.production.deployment import Deployment

Inject = Callable[[Deployment, random.Random], Awaitable[None]]
"""Returns when the fault is over. Its docstring begins with its number."""

FOR = 4.0  # seconds that a fault lasts, where it does not end by itself


def kill(child: Child) -> None:
    """Kill a process at once."""
    assert child.process
    child.process.kill()
    child.process.wait()
