"""`ostiary resource`: the records of protected resources, from a file to a snippet for their proxy."""

import json
from pathlib import Path

import pytest

from tests.flow.command_line import Ostiary
from tests.planted import planted
from tests.planted.resources import metadata_for_the_root

API = {"resource": "https://notes.example.org/mcp", "name": "Notes", "scopes": {"read": {"en": "Read it"}}}


def _file(folder: Path, content: object) -> str:
    path = folder / "resource.json"
    path.write_text(json.dumps(content), "utf-8")
    return str(path)


def test_a_resource_is_added_changed_and_deleted(ostiary: Ostiary, tmp_path: Path) -> None:
    """Resources are found by name or identifier. Members have defaults; the identifier does not change."""
    added = json.loads(ostiary("resource", "add", _file(tmp_path, API), "--json").output)
    assert added["clients"] == "any"
    assert "Notes" in ostiary("resource", "list").output
    changes = _file(tmp_path, {"access_token_format": "jwt", "scopes": None})
    assert ostiary("resource", "update", "notes", changes).exit_code == 0
    shown = json.loads(ostiary("resource", "show", API["resource"], "--json").output)
    assert (shown["access_token_format"], shown["scopes"]) == ("jwt", {})
    moved = ostiary("resource", "update", "Notes", _file(tmp_path, {"resource": "https://b.example"}))
    assert (moved.exit_code, "cannot be changed" in moved.output) == (1, True)
    assert ostiary("resource", "delete", "Notes").exit_code == 0
    assert "There is no resource Notes" in ostiary("resource", "show", "Notes").output


def test_what_cannot_be_promised_is_refused(ostiary: Ostiary, tmp_path: Path) -> None:
    """All faults are reported: own scopes, unknown and unsupported members, and an unreachable acr."""
    bad = {
        **API,
        "scopes": ["openid"],
        "colour": "red",
        "dpop_bound_access_tokens_required": True,
        "acr_values": ["urn:example:acr:gold"],
    }
    refused = ostiary("resource", "add", _file(tmp_path, bad))
    assert refused.exit_code == 1
    for name in ("scopes.openid", "colour", "dpop_bound_access_tokens_required", "acr_values"):
        assert name in refused.output
    own = ostiary("resource", "add", _file(tmp_path, {"resource": "http://localhost:8080/oidc/userinfo"}))
    assert "this server's own" in own.output


def test_a_list_is_imported_again_and_pruned(ostiary: Ostiary, tmp_path: Path) -> None:
    """A repeated import updates resources, and deletes others on request."""
    other = {"resource": "https://other.example.org"}
    assert ostiary("resource", "import", _file(tmp_path, [API, other])).exit_code == 0
    again = ostiary("resource", "import", _file(tmp_path, [API]), "--prune", "--json")
    assert [row["result"] for row in json.loads(again.output)] == ["updated", "deleted"]


@planted(metadata_for_the_root)
@pytest.mark.point("PR5")
def test_its_metadata_are_printed_for_its_own_host(ostiary: Ostiary, tmp_path: Path) -> None:
    """RFC 9728 §2 and §3.1: the document, and a snippet that serves it at the inserted path."""
    ostiary("resource", "add", _file(tmp_path, API))
    document = json.loads(ostiary("resource", "metadata", "Notes").output)
    assert document == {
        "resource": API["resource"],
        "authorization_servers": ["http://localhost:8080/oidc"],
        "scopes_supported": ["read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Notes",
    }
    for proxy in ("caddy", "nginx"):
        snippet = ostiary("resource", "metadata", "Notes", "--for", proxy).output
        assert "/.well-known/oauth-protected-resource/mcp {" in snippet
