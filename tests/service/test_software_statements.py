"""Software statements at the registration endpoint."""

import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.client_registry.app import mount
from shared.config.settings import SettingsError
from shared.oauth.tokens.keys import public_jwk
from shared.server.app import application
from tests.deployment import settings_for
from tests.registry import URI, serve_registry

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLISHER = "https://publisher.test"


def _file(folder: Path) -> str:
    file = folder / "issuers.json"
    file.write_text(json.dumps({PUBLISHER: {"keys": [public_jwk(KEY.public_key())]}}))
    return str(file)


@pytest.mark.point(20)
async def test_a_statement_is_used_and_returned_as_it_came(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """RFC 7591 §3.2.1, at registration and at an update; a bad one spends no token."""
    said = {"iss": PUBLISHER, "software_id": "sync", "client_name": "Sync", "skip_consent": True}
    statement = jwt.encode(said, KEY, "ES256")
    issuers = _file(tmp_path)
    async for registry in serve_registry(
        database_url, redis_url, "token", software_statement_issuers=issuers
    ):
        sent, token = {**URI, "client_name": "Plain", "software_statement": statement}, await registry.token()
        for bad, error in (
            (statement[:-4] + "AAAA", "invalid_software_statement"),
            (jwt.encode({"iss": "x"}, KEY, "ES256"), "unapproved_software_statement"),
        ):
            refused = await registry.post({**sent, "software_statement": bad}, token)
            assert (refused.status, (await refused.json())["error"]) == (400, error)
        answer = await registry.post(sent, token)
        made = await answer.json()
        assert (answer.status, made["software_statement"]) == (201, statement)
        assert (made["client_name"], made["software_id"], "skip_consent" in made) == ("Sync", "sync", False)
        stored = await registry.world.stores.clients.find(made["client_id"])
        assert stored
        assert not stored.skip_consent, "an operator alone says so"
        client_id, own = made["client_id"], made["registration_access_token"]
        changed = await registry.ask("PUT", client_id, own, {**sent, "client_id": client_id})
        assert (await changed.json())["software_statement"] == statement
        assert (await changed.json())["client_name"] == "Sync"


@pytest.mark.point(20)
async def test_where_nobody_is_believed_a_statement_is_ignored(database_url: str, redis_url: str) -> None:
    """Without trusted issuers, a statement is ignored and not returned."""
    async for registry in serve_registry(database_url, redis_url, "token"):
        made = await registry.register({**URI, "software_statement": "nonsense"})
        assert "software_statement" not in made


@pytest.mark.parametrize("content", [None, "{", '{"https://a.test": 1}'])
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, content: str | None) -> None:
    """With the name of the setting."""
    file = tmp_path / "issuers.json"
    if content is not None:
        file.write_text(content)
    settings = settings_for("postgresql://x", "redis://x", software_statement_issuers=str(file))
    with pytest.raises(SettingsError, match="OSTIARY_SOFTWARE_STATEMENT_ISSUERS"):
        application(settings, mount)
