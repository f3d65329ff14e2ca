"""The Compose file: its shape, its settings, and the proxy configuration that it makes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from shared.config.environment import read_settings
from shared.paths import Service
from tests.flow.starter import ROOT

FOLDER = ROOT / "deploy" / "compose"
OURS = {*map(str, Service), "worker", "migrate", "proxy-configuration"}
SERVING = {*map(str, Service), "worker"}


@pytest.fixture(scope="module")
def compose() -> Any:
    """The file, with its variables as Compose puts them in."""
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    values = {"HOST": "id.example.org", "IMAGE": "ostiary:dev"}
    return yaml.safe_load(re.sub(r"\$\{(\w+)[^}]*\}", lambda variable: values[variable[1]], text))


def test_it_follows_the_compose_specification(compose: Any) -> None:
    """Every member is known and has the right type. A misspelt one is refused."""
    compose_spec.PyCompose.from_json(json.dumps(compose)).validate()
    text = json.dumps(compose).replace("healthcheck", "helthcheck")
    with pytest.raises(ValueError, match="helthcheck"):
        compose_spec.PyCompose.from_json(text)


def test_everything_that_it_names_is_in_it(compose: Any) -> None:
    """Services, secrets and volumes; every secret is a file."""
    services, secrets = compose["services"], compose["secrets"]
    assert services.keys() == OURS | {"proxy", "postgresql", "valkey"}
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        assert set(service.get("secrets", ())) <= secrets.keys()
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert named <= compose["volumes"].keys()
    assert all(
        secret.keys() == {"file"} and secret["file"].startswith("./secrets/") for secret in secrets.values()
    )


def test_every_process_of_ours_is_confined(compose: Any) -> None:
    """One image, read-only, without capabilities; only the proxy has a port on the machine."""
    services = compose["services"]
    for name in OURS:
        service = services[name]
        assert service["image"] == "ostiary:dev"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] == ("0:0" if name == "proxy-configuration" else "10001:10001")
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]


def test_what_serves_is_watched_and_started_in_order(compose: Any) -> None:
    """After the migration, with a health check, and without a name or port that forbids a second process."""
    services = compose["services"]
    for name in SERVING:
        service = services[name]
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert "/readyz" in service["healthcheck"]["test"][-1]
        assert service["command"] == ["serve", name, "--listen", "0.0.0.0:8080"]
        assert not service.keys() & {"container_name", "ports"}
    for name in ("proxy", "postgresql", "valkey"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"


def test_the_settings_are_complete(compose: Any, tmp_path: Path) -> None:
    """With the environment file of the operators' guide; the proxies' network is trusted."""
    env_file = tmp_path / "ostiary.env"
    env_file.write_text("OSTIARY_DATABASE_URL=postgresql://ostiary:secret@postgresql/ostiary\n")
    (tmp_path / "secret-key").write_text("s" * 32)
    environment = compose["services"]["token"]["environment"]
    here = {"OSTIARY_ENV_FILE": str(env_file), "OSTIARY_SECRET_KEY_FILE": str(tmp_path / "secret-key")}
    settings = read_settings({**environment, **here})
    assert settings.issuer == "https://id.example.org/oidc"
    assert settings.worker == "alone"
    (network,) = compose["networks"]["default"]["ipam"]["config"]
    assert environment["OSTIARY_TRUSTED_PROXIES"] == network["subnet"]


def test_the_proxy_is_configured_for_every_service(compose: Any) -> None:
    """By the names that Compose resolves to all processes of a service."""
    options = compose["services"]["proxy-configuration"]["command"]
    done = subprocess.run(
        (sys.executable, "-m", "deploy.proxies", "nginx", *options),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(re.findall(r"^ +server ([\w.:-]+) max_fails", done.stdout, re.MULTILINE)) == {
        f"{service}:8080" for service in Service
    }
    assert "listen 443 ssl" in done.stdout
    assert "id.example.org" in done.stdout
