"""The commands that explanations for operators suggest, ready for a shell. Pure."""

import shlex
from typing import Any

import orjson

from shared.oauth.client.record import Client


def update_command(client: Client, **members: Any) -> str:
    """The command that changes metadata members."""
    metadata = shlex.quote(orjson.dumps(members).decode())
    return f"`echo {metadata} | ostiary client update {shlex.quote(client.client_id)} -`"


def client_command(client: Client, verb: str) -> str:
    """The command that applies *verb* of `ostiary client` to the client."""
    return f"`ostiary client {verb} {shlex.quote(client.client_id)}`"
