"""The protocol between a relying party in Python and its test, as in node/conversation.mjs."""

import json
import sys
from collections.abc import Callable, Generator
from typing import Any

Steps = Generator[dict[str, Any], str, dict[str, Any]]  # what it says, what it is told, what it learned


def converse(relying_party: Callable[[dict[str, Any]], Steps]) -> None:
    """Send the configuration, relay messages, and report the reason if the relying party refused."""
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
