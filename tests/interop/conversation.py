"""How a relying party in Python talks with the test: as node/conversation.mjs has it."""

import json
import sys
from collections.abc import Callable, Generator
from typing import Any

Steps = Generator[dict[str, Any], str, dict[str, Any]]  # what it says, what it is told, what it learned


def converse(relying_party: Callable[[dict[str, Any]], Steps]) -> None:
    """Gives it its configuration, carries what it says and is told, and tells why it refused if it did."""
    try:
        steps = relying_party(json.loads(_hear()))
        said = next(steps)
        while True:
            _say(said)
            said = steps.send(_hear())
    except StopIteration as end:
        _say(end.value)
    except Exception as error:
        _say({"error": f"{type(error).__name__}: {error}"})


def _hear() -> str:
    return sys.stdin.readline()


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
