"""`ostiary client add --for` and `ostiary client presets` over a real database."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.flow.command_line import Ostiary, of

GITEA = ("client", "add", "--for", "gitea", "--url", "https://git.example.org/")


@pytest.fixture
def ostiary(ostiary: Ostiary) -> Ostiary:
    """The command, for a deployment with an issuer."""
    return partial(ostiary, OSTIARY_ISSUER="https://id.example.org/oidc")


def test_a_client_is_added_for_an_application(ostiary: Ostiary) -> None:
    """The redirect URI has the URL and the operator's value, and the lines have the credentials."""
    added = of(ostiary(*GITEA, "source=sso", "--json"))
    assert added["redirect_uris"] == ["https://git.example.org/user/oauth2/sso/callback"]
    assert added["issuer"] == "https://id.example.org/oidc"
    assert added["endpoints"]["token_endpoint"] == "https://id.example.org/oidc/oauth2/token"
    (setting,) = added["settings"]
    assert added["client_id"] in setting["lines"]
    assert added["client_secret"] in setting["lines"]
    assert of(ostiary("client", "show", added["client_id"], "--json"))["client_name"] == "Gitea"


def test_the_secret_comes_first(ostiary: Ostiary, tmp_path: Path) -> None:
    """For a preset and for a file; then the issuer, the endpoints and the redirect URI."""
    file = tmp_path / "client.json"
    file.write_text('{"redirect_uris": ["https://rp.example.org/cb"]}')
    for command in (GITEA, ("client", "add", str(file))):
        result = ostiary(*command)
        assert result.exit_code == 0, result.output
        names = [line.partition(":")[0] for line in result.stdout.splitlines()]
        assert names[:3] == ["client_secret", "client_id", "issuer"]
        assert names.index("token_endpoint") < names.index("redirect_uris") < names.index("grant_types")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--for", "nothing"), "client presets"),
        (("--for", "gitea"), "--url"),
        (("--for", "gitea", "--url", "http://git.example.org"), "must be https"),
        (("--for", "gitea", "--url", "https://git.example.org", "colour=red"), "source"),
        (("--for", "gitea", "--url", "https://git.example.org", "sso"), "NAME=value"),
        (("--url", "https://git.example.org"), "--for"),
        ((), "FILE"),
    ],
)
def test_a_mistake_is_explained(ostiary: Ostiary, arguments: tuple[str, ...], told: str) -> None:
    """Exit status 2, and no client is added."""
    result = ostiary("client", "add", *arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert of(ostiary("client", "list", "--json")) == []


def test_what_was_shown_may_be_written_back(ostiary: Ostiary, tmp_path: Path) -> None:
    """`client show --json`, then `client update`: nothing changes; nor does what nobody may change."""
    client_id = of(ostiary(*GITEA, "--json"))["client_id"]
    shown = of(ostiary("client", "show", client_id, "--json"))
    file = tmp_path / "client.json"
    file.write_text(json.dumps(shown))
    assert ostiary("client", "update", client_id, str(file)).exit_code == 0
    assert of(ostiary("client", "show", client_id, "--json")) == shown
    for changes in ({"client_id": "other"}, {"is_disabled": True}, {"client_id_issued_at": 1}):
        file.write_text(json.dumps(changes))
        refused = ostiary("client", "update", client_id, str(file))
        assert (refused.exit_code, "cannot be changed" in refused.stderr) == (1, True)
    assert of(ostiary("client", "show", client_id, "--json")) == shown


def test_presets_are_listed(ostiary: Ostiary) -> None:
    """Presets are listed with the values that they need."""
    listed = {preset["name"]: preset for preset in of(ostiary("client", "presets", "--json"))}
    assert listed["gitea"]["values"] == {"source": "ostiary"}
    assert listed["grafana"]["needs_url"]
    assert not listed["kubernetes"]["needs_url"]
    assert "Nextcloud" in ostiary("client", "presets").stdout
