"""Remedies: each refusal has one, and its commands exist."""

import re
import shlex
from datetime import UTC, datetime

import click
import orjson
import pytest

from services.cli import main
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.members import to_metadata
from shared.oauth.client.rules import read_operators
from shared.oauth.refusal import Reason, Refusal
from shared.operations.refusals.remedies import BY_ERROR, BY_REASON, remedy
from tests.builders import a_client, a_public_client
from tests.flow.command_line import verb_of
from tests.planted import planted
from tests.planted.refusals import strangers_commands
from tests.refusals import every_error

REFUSAL = Refusal(at=datetime(2026, 11, 28, tzinfo=UTC), endpoint="/x", error="invalid_request", detail="a")
SENT = {
    Reason.AUTHENTICATION_METHOD: ("client_secret_post", "none", "private_key_jwt or client_secret_jwt"),
    Reason.GRANT_TYPE: ("urn:ietf:params:oauth:grant-type:device_code", "magic"),
    Reason.RESPONSE_TYPE: ("code id_token",),
    Reason.REDIRECT_URI: ("https://a.test/", "'; rm -rf /; '"),
    Reason.SCOPE: ("'; rm -rf /; '",),
}
ALLOWED = Capabilities(
    response_types=("code", "code id_token", "id_token"), signing_algorithms=("RS256", "ES256")
)
REFUSALS = [
    Refusal(at=REFUSAL.at, endpoint="/x", error="x", detail="x", reason=reason, sent=sent)
    for reason in Reason
    for sent in SENT.get(reason, (None,))
] + [Refusal(at=REFUSAL.at, endpoint="/x", error=error, detail="x") for error in sorted(every_error())]
CLIENTS = [a_client("files"), a_public_client("it's; a $client"), a_client("none", redirect_uris=())]


def test_the_table_is_complete() -> None:
    """Every reason has a remedy, and every remedy of an error is for an existing error."""
    assert BY_REASON.keys() == set(Reason)
    assert BY_ERROR.keys() <= every_error()


@planted(strangers_commands)
def test_every_remedy_is_a_sentence_whose_commands_exist() -> None:
    """As a shell would read them, for a client with any client_id; nothing that was sent is in them."""
    commands = 0
    for client in CLIENTS:
        for refusal in REFUSALS:
            sentence = remedy(client, refusal)
            assert sentence.endswith("."), sentence
            assert "\n" not in sentence
            for command in re.findall(r"`([^`]+)`", sentence):
                words = shlex.split(command)
                assert "rm" not in words, command
                if words[0] == "echo":
                    assert words[2:5] == ["|", "ostiary", "client"], command
                    words = words[3:]
                assert words[0] == "ostiary"
                assert isinstance(group := verb_of(main, words[1]), click.Group)
                assert verb_of(group, words[2])
                assert words[3] == client.client_id
                commands += 1
    assert commands > len(REFUSALS)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.error}-{refusal.reason}")
def test_what_an_update_says_is_client_metadata(refusal: Refusal) -> None:
    """The members and values of each command are accepted, with the application's URI or scope filled in."""
    client = CLIENTS[0]
    for changes in re.findall(r"`echo (.+?) \| ostiary client update files -`", remedy(client, refusal)):
        (text,) = shlex.split(changes)
        members = orjson.loads(text.replace("URI", "https://a.test/new").replace("SCOPE", "mail"))
        described = read_operators({**to_metadata(client), **members}, client.client_id, ALLOWED)
        assert described.client != client
