"""The Helm chart against the overlays for kustomize, of whose files it is made."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kubernetes.chart import VALUES
from deploy.kubernetes.render import FOLDER
from tests.packaging.kubernetes import OVERLAYS, faults, overlay
from tests.tools import needs

CHART = FOLDER / "chart"
TEMPLATES = sorted((CHART / "templates").iterdir())
VALUES_OF = {"small": ("--values", str(CHART / "values-small.yaml")), "production": ()}
Objects = dict[tuple[str, str], Any]


def _by_name(text: str) -> Objects:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text) if each}


def _helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (needs("helm"), *arguments), capture_output=True, text=True, check=False, timeout=60
    )


def _rendered(*arguments: str) -> str:
    done = _helm("template", "ostiary", str(CHART), "--namespace", "ostiary", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _pods(objects: Objects) -> Iterator[Any]:
    return (each["spec"]["template"] for (kind, _), each in objects.items() if kind == "Deployment")


def test_every_value_is_used_and_no_other() -> None:
    """There are as many as people change."""
    used = {name for file in TEMPLATES for name in re.findall(r"\.Values\.(\w+)", file.read_text())}
    assert used == {value.name for value in VALUES}
    assert len(VALUES) == 15


def test_the_chart_has_the_objects_of_kustomize() -> None:
    """Also where there is no Helm: without their expressions, its templates are YAML."""
    texts = [re.sub(r"(?m)^\{\{-.+\}\}\n", "", file.read_text()) for file in TEMPLATES]
    found = _by_name("\n---\n".join(re.sub(r"\{\{.+?\}\}", "x", text) for text in texts)).keys()
    files = [*FOLDER.glob("base/*.yaml"), *FOLDER.glob("*/routes.yaml")]
    expected = set[tuple[str, str]]().union(
        *(_by_name(file.read_text()) for file in files if file.name != "kustomization.yaml")
    )
    assert found - {("ConfigMap", "ostiary"), ("Job", "migrate-x")} == expected - {("Job", "migrate")}


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_chart_is_the_overlay(name: str) -> None:
    """Object by object. Other than there, a changed setting starts new pods by an annotation."""
    chart = _by_name(_rendered(*VALUES_OF[name]).replace("name: migrate-1\n", "name: migrate\n"))
    expected = _by_name(re.sub(r"\bostiary-[a-z0-9]{10}\b", "ostiary", overlay(name)))
    checksums = {pod["metadata"].pop("annotations")["checksum/settings"] for pod in _pods(chart)}
    assert len(checksums) == 1
    assert chart.keys() == expected.keys()
    for key, each in expected.items():
        assert chart[key] == each, key


def test_every_value_changes_what_it_says(tmp_path: Path) -> None:
    """Kubernetes accepts the objects with other values, too, and settings start new pods."""
    values = tmp_path / "values.yaml"
    others = {
        "host": "login.example.net",
        "image": "registry.example.net/ostiary",
        "tag": "1.2.3",
        "secret": "other",
        "settings": {"OSTIARY_SIGN_UP": "open"},
        "replicas": 5,
        "route": "ingress",
        "ingress": {"class": "haproxy", "secret": "certificate"},
    }
    values.write_text(yaml.safe_dump(others))
    text = _rendered("--values", str(values))
    objects = _by_name(text)
    assert faults(list(objects.values()), tmp_path) == []
    assert "id.example.org" not in text
    (settings,) = (each for (kind, _), each in objects.items() if kind == "ConfigMap")
    assert settings["data"]["OSTIARY_SIGN_UP"] == "open"
    assert objects["Ingress", "ostiary"]["spec"]["ingressClassName"] == "haproxy"
    assert objects["PodDisruptionBudget", "token"]["spec"]["minAvailable"] == 4
    (container,) = objects["Deployment", "token"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.net/ostiary:1.2.3"
    assert {each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"]} == {"other"}
    usual = next(_pods(_by_name(_rendered())))["metadata"]["annotations"]
    assert next(_pods(objects))["metadata"]["annotations"] != usual
    assert not any("route" in kind.lower() for kind, _ in _by_name(_rendered("--set", "route=none")))


def test_helm_finds_nothing_wrong() -> None:
    """And refuses values that the chart does not have, or of another type."""
    assert _helm("lint", "--strict", str(CHART)).returncode == 0
    for wrong in ("replica=2", "replicas=many", "route=both"):
        assert _helm("lint", str(CHART), "--set", wrong).returncode != 0
