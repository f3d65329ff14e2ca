"""`ostiary client check` with a running deployment: refusals and remedies."""

import json
import re
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result

from services.cli import main
from shared.paths import AUTHORIZATION, TOKEN
from shared.web.form import FORM
from tests.deployment import basic
from tests.flow.door import send
from tests.flow.op import Op

REGISTERED, WANTED = "https://rp.test/callback", "https://rp.test/auth/callback"
HANG = 30  # seconds


def _authorize(op: Op, client_id: str, redirect_uri: str) -> int:
    asked = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "state": "s",
    }
    return send(op.door, "GET", f"{AUTHORIZATION}?{urlencode(asked)}").status


def _found(op: Op, client_id: str, number: int, *options: str) -> list[dict[str, Any]]:
    """The findings, once there are that many: they are written shortly after the response."""
    deadline = time.monotonic() + HANG
    while True:
        findings = json.loads(op.ostiary("client", "check", client_id, "--json", *options))
        if len(findings) >= number or time.monotonic() > deadline:
            return list(findings)


@pytest.mark.parametrize("is_public", [False, True])
def test_a_wrong_redirect_uri_is_found_and_fixed(op: Op, is_public: bool) -> None:
    """The finding has the URI that was sent, the registered ones, and a command to register it."""
    method = "none" if is_public else "client_secret_basic"
    client_id = op.add_client(
        redirect_uris=[REGISTERED], token_endpoint_auth_method=method, require_pkce=False
    )["client_id"]
    assert _authorize(op, client_id, WANTED) == 400
    (finding,) = _found(op, client_id, 1)
    assert (finding["endpoint"], finding["error"]) == (AUTHORIZATION.path, "invalid_request")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", finding["time"])
    assert WANTED in finding["detail"]
    assert REGISTERED in finding["detail"]
    (command,) = re.findall(r"`([^`]+)`", finding["remedy"])
    ostiary = f"{sys.executable} -P -m services.cli"
    command = command.replace("| ostiary", f"| {ostiary}").replace("URI", WANTED)
    subprocess.run(command, shell=True, env=dict(op.environment), check=True, capture_output=True)
    assert json.loads(op.ostiary("client", "show", client_id, "--json"))["redirect_uris"] == [
        REGISTERED,
        WANTED,
    ]


def test_refusals_of_every_service_are_shown(op: Op) -> None:
    """Refusals are printed newest first, without those before --since."""
    client_id = op.add_client(redirect_uris=[REGISTERED])["client_id"]
    assert "No request" in op.ostiary("client", "check", client_id)
    headers = basic(client_id, "wrong") | {"Content-Type": FORM}
    assert send(op.door, "POST", TOKEN.path, headers, b"grant_type=client_credentials").status == 401
    assert _authorize(op, client_id, WANTED) == 400
    findings = _found(op, client_id, 2, "--since", "1h")
    assert {(finding["endpoint"], finding["error"]) for finding in findings} == {
        (TOKEN.path, "invalid_client"),
        (AUTHORIZATION.path, "invalid_request"),
    }
    shown = op.ostiary("client", "check", client_id)
    for finding in findings:
        assert "\n".join((f"  {finding['detail']}", f"  {finding['remedy']}")) in shown
        assert f"{finding['time']}  {finding['endpoint']}  {finding['error']}" in shown
    assert f"`ostiary client rotate-secret {client_id}`" in shown


def test_an_unknown_client_cannot_be_checked(op: Op) -> None:
    """Exit status 1 with a sentence, and 2 for a malformed duration."""
    assert op.ostiary("client", "check", "nobody", statuses=(1,)) == ""
    assert op.ostiary("client", "check", "nobody", "--since", "soon", statuses=(2,)) == ""


def test_without_redis_the_refusals_cannot_be_shown(database_url: str) -> None:
    """Exit status 1 with a sentence that points to the log."""
    environment = {
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": "redis://127.0.0.1:1",
        "OSTIARY_SECRET_KEY": "s" * 32,
    }

    def ostiary(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=given, env=environment)

    assert ostiary("migrate").exit_code == 0
    metadata = json.dumps({"client_id": "files", "redirect_uris": [REGISTERED]})
    assert ostiary("client", "add", "-", given=metadata).exit_code == 0
    result = ostiary("client", "check", "files")
    assert result.exit_code == 1
    assert "Redis, which keeps the last refusals, does not answer" in result.stderr
    assert "the event refused" in result.stderr
