"""The presets of applications: their files, the parser, and rendering."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.applications import preset as reading
from deploy.applications.library import presets
from deploy.applications.preset import BadPreset, Preset, UnknownValue, read_preset
from deploy.applications.url import application_url
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.rules import read_operators
from shared.oauth.supported import SCOPES

FOLDER = Path(__file__).parents[2] / "deploy" / "applications"
NAMES = sorted(file.stem for file in FOLDER.glob("*.toml"))
ISSUER = "https://id.example.org/oidc"
# fmt: off
ASKED_FOR = frozenset((
    "nextcloud", "grafana", "gitlab", "gitea", "forgejo", "wordpress", "kubernetes", "oauth2-proxy",
    "matrix-synapse", "jupyterhub", "pgadmin", "superset", "airflow", "netbox", "weblate",
    "django-allauth", "mozilla-django-oidc", "spring-boot", "authjs", "express-openid-connect",
    "mod-auth-openidc", "nginx", "lemonldap-ng", "dovecot", "oidc-agent", "home-assistant", "immich",
    "portainer", "proxmox", "argo-cd", "vault", "openbao", "minio", "cells-frontend", "cells-sync",
    "cells-client", "cells-mobile",
))
# fmt: on
MINIMAL = 'title = "App"\ndocumentation = ["https://app.test/"]\n[metadata]\nredirect_uris = ["{url}/cb"]\n'


def _values(preset: Preset, url: str = "https://app.example.org") -> dict[str, str]:
    own = {"url": url, "host": "app.example.org", "client_id": "the-id", "client_secret": "the-secret"}
    return {**reading.provider_values(ISSUER), **own, **preset.values}


def test_every_application_has_a_preset() -> None:
    """The library finds each file by its name."""
    assert set(presets()) == set(NAMES)
    assert set(NAMES) >= ASKED_FOR


@pytest.mark.parametrize("name", NAMES)
def test_the_client_of_a_preset_is_accepted(name: str) -> None:
    """The rules for an operator's client accept its metadata, and it asks for scopes that exist."""
    preset = presets()[name]
    metadata = reading.rendered_metadata(preset, _values(preset))
    allowed = Capabilities(response_types=("code",), signing_algorithms=("RS256", "ES256"))
    client = read_operators(metadata, "new", allowed).client
    assert "{" not in json.dumps(metadata).replace('{"', "")
    assert set(client.scope) <= {*SCOPES, "offline", "pydio"}


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_works_in_a_test_network(name: str) -> None:
    """Without TLS, where the operator allows it."""
    preset = presets()[name]
    metadata = reading.rendered_metadata(preset, _values(preset, "http://app.lan:8080"))
    allowed = Capabilities(response_types=("code",), signing_algorithms=("RS256", "ES256"))
    assert read_operators({**metadata, "allow_insecure_redirects": True}, "new", allowed)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_rendered_whole(name: str) -> None:
    """No placeholder is left; the lines name the client, and links lead to https."""
    preset = presets()[name]
    values = _values(preset)
    lines = "\n".join(each.lines for each in reading.rendered_settings(preset, values))
    assert not re.search(rf"(?<!\{{)\{{({'|'.join(values)})\}}(?!\}})", lines)
    assert not preset.settings or "the-id" in lines or name == "dovecot"
    assert preset.documentation
    assert all(link.startswith("https://") for link in preset.documentation)
    assert preset.tested == reading.NOT_RUN or re.search(r"\d{4}-\d\d-\d\d", preset.tested)


def test_titles_are_unique() -> None:
    """Two presets never look the same in a list."""
    titles = [preset.title for preset in presets().values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace("title", "titel"),
        MINIMAL.replace('"App"', "1"),
        'colour = "red"\n' + MINIMAL,
        MINIMAL.replace("{url}", "{site}"),
        MINIMAL.replace("{url}", "https://{client_id}.example.org"),
        MINIMAL + 'contacts = ["{client_secret}"]\n',
        MINIMAL + '[[settings]]\nwhere = "x"\nlines = "y"\nmode = "z"\n',
        "title = ",
        MINIMAL.partition("[metadata]")[0],
    ],
)
def test_a_preset_with_a_fault_is_refused(text: str) -> None:
    """Unknown, missing and mistyped members, unknown placeholders, bad TOML."""
    assert read_preset("app", MINIMAL).needs_url
    with pytest.raises(BadPreset, match="app"):
        read_preset("app", text)


def test_braces_that_are_no_placeholders_stay() -> None:
    """Templates of the application's own language, and other values of the operator."""
    text = MINIMAL + '[values]\nid = "x"\n[[settings]]\nwhere = "f"\nlines = \'{{ user }} { a } ${b} {id}\'\n'
    preset = read_preset("app", text)
    chosen: dict[str, Any] = {"url": "", "host": "", **reading.chosen_values(preset, {"id": "y"})}
    assert reading.rendered_settings(preset, chosen)[0].lines == "{{ user }} { a } ${b} y"
    with pytest.raises(UnknownValue, match="nope"):
        reading.chosen_values(preset, {"nope": "y"})


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://app.example.org/", "https://app.example.org"),
        ("HTTPS://App.Example.org:443/files//", "https://app.example.org/files"),
        ("https://app.example.org:8006", "https://app.example.org:8006"),
        ("https://app.example.org/a/B", "https://app.example.org/a/B"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://[::1]:8443/x/", "https://[::1]:8443/x"),
    ],
)
def test_a_url_is_normalized(text: str, url: str) -> None:
    """The slash at the end and the default port go; the path stays."""
    assert application_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["app.example.org", "http://app.example.org", "ftp://app.example.org", "https://", "https://a/?x", "https://a/#x",
     "https://u@a/", "https://a:99999/", "https://a b/", "https://[::1"],
)  # fmt: skip
def test_a_bad_url_is_refused(text: str) -> None:
    """Anything but https with a host and a path; http on this machine only."""
    with pytest.raises(ValueError, match=r"\w"):
        application_url(text)
