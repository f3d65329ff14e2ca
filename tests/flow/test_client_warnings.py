"""Warnings of `ostiary client` when a client is added, changed and imported."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flow.command_line import Ostiary, of
from tests.planted import planted
from tests.planted.examination import every_scope_is_known

SELDOM_MEANT = {
    "client_name": "Files",
    "redirect_uris": ["https://rp.example.org/cb"],
    "scope": "openid offline_access files:read",
    "id_token_claims": ["scope", "department"],
}
NEXTCLOUD = ("client", "add", "--for", "nextcloud", "--allow-insecure-redirects", "--url")


def _file(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_text(json.dumps(content))
    return str(path)


@planted(every_scope_is_known)
def test_what_is_seldom_meant_is_warned_of(ostiary: Ostiary, tmp_path: Path) -> None:
    """A warning is on standard error and in the JSON, and the client is added."""
    result = ostiary("client", "add", _file(tmp_path, SELDOM_MEANT))
    assert result.exit_code == 0
    assert "warnings" not in result.stdout
    warnings = result.stderr.splitlines()
    assert [warning.split()[:2] for warning in warnings] == [
        ["Warning:", "scope"],
        ["Warning:", "scope"],
        ["Warning:", "id_token_claims.1"],
    ]
    assert "offline_access" in warnings[0]
    assert "files:read" in warnings[1]
    printed = of(ostiary("client", "add", _file(tmp_path, SELDOM_MEANT), "--json"))["warnings"]
    assert [f"Warning: {each['path']} {each['warning']}" for each in printed] == warnings


def test_a_warning_ends_with_its_cause(ostiary: Ostiary, tmp_path: Path) -> None:
    """The API registered, the claim given to a user, the grant type added."""
    assert ostiary("client", "add", _file(tmp_path, {**SELDOM_MEANT, "client_id": "files"})).exit_code == 0
    resource = {"resource": "https://files.example.org", "scopes": ["files:read"]}
    assert ostiary("resource", "add", _file(tmp_path, resource)).exit_code == 0
    claims = _file(tmp_path, {"department": "Library"})
    assert ostiary("user", "add", "ada", "--claims", claims).exit_code == 0
    changes = _file(tmp_path, {"grant_types": ["authorization_code", "refresh_token"]})
    updated = ostiary("client", "update", "files", changes)
    assert (updated.exit_code, updated.stderr) == (0, "")
    assert "warnings" not in of(ostiary("client", "show", "files", "--json"))


def test_updates_and_imports_warn_as_well(ostiary: Ostiary, tmp_path: Path) -> None:
    """Warnings of an import name the client."""
    imported = ostiary("client", "import", _file(tmp_path, [{**SELDOM_MEANT, "client_id": "files"}]))
    assert imported.exit_code == 0
    assert imported.stderr.count("files: warning: ") == 3
    again = ostiary("client", "import", _file(tmp_path, [{"client_id": "files", "scope": "openid offline"}]))
    assert again.stderr.count("files: warning: ") == 2
    updated = ostiary("client", "update", "files", _file(tmp_path, {"scope": "openid files:read"}))
    assert updated.stderr.count("Warning: ") == 2


@pytest.mark.parametrize("host", ["192.168.1.20:8080", "nextcloud:80", "cloud.lan"])
def test_http_on_a_private_network_is_an_explicit_choice(ostiary: Ostiary, host: str) -> None:
    """http is refused with the name of the option; with the option it is stored, with a warning."""
    refused = ostiary("client", "add", "--for", "nextcloud", "--url", f"http://{host}")
    assert refused.exit_code == 2
    assert "--allow-insecure-redirects" in refused.stderr
    added = ostiary(*NEXTCLOUD, f"http://{host}", "--json")
    client_id = of(added)["client_id"]
    assert "Warning: redirect_uris.0 is http on a private network" in added.stderr
    assert of(ostiary("client", "show", client_id, "--json"))["allow_insecure_redirects"] is True
    findings = {each["subject"]: each for each in json.loads(ostiary("doctor", "--json").stdout)}
    assert findings["Insecure redirects"]["is_good"]
    assert client_id in findings["Insecure redirects"]["sentence"]


def test_http_on_a_public_network_stays_refused(ostiary: Ostiary, tmp_path: Path) -> None:
    """http on a public network is refused even with the option."""
    refused = ostiary(*NEXTCLOUD, "http://cloud.example.org")
    assert refused.exit_code == 1
    assert "http is for loopback hosts only" in refused.stderr
    file = _file(tmp_path, {"redirect_uris": ["http://nas/cb"]})
    assert "allow_insecure_redirects" in ostiary("client", "add", file).stderr
    assert ostiary("client", "add", file, "--allow-insecure-redirects").exit_code == 0


def test_doctor_is_silent_where_no_client_is_insecure(ostiary: Ostiary, tmp_path: Path) -> None:
    """Without insecure clients, the doctor has no finding."""
    file = _file(tmp_path, {"redirect_uris": ["http://localhost/cb"]})
    assert ostiary("client", "add", file).exit_code == 0
    subjects = [each["subject"] for each in json.loads(ostiary("doctor", "--json").stdout)]
    assert "Clients" in subjects
    assert "Insecure redirects" not in subjects
