"""The objects for Kubernetes, from `kubectl kustomize`, and the verdict of their schemas on them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30Validator

from deploy.kubernetes.render import FOLDER
from tests.tools import needs

OVERLAYS = ("small", "production")
_CACHE = Path(__file__).parents[2] / ".cache"
VALIDATOR = _CACHE / "kubernetes-validate"
ROUTES = _CACHE / "gateway-api" / "gateway.networking.k8s.io_httproutes.yaml"


def overlay(name: str) -> str:
    """All objects of an overlay."""
    command = (needs("kubectl"), "kustomize", str(FOLDER / "overlays" / name))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def faults(objects: Sequence[Any], folder: Path) -> list[str]:
    """What is wrong with *objects*, unknown members too, by the schemas of Kubernetes and the Gateway API."""
    routes = [each for each in objects if each["kind"] == "HTTPRoute"]
    others = [each for each in objects if each["kind"] != "HTTPRoute"]
    return [*_faults_of_objects(others, folder), *(fault for each in routes for fault in _route_faults(each))]


def _faults_of_objects(objects: Sequence[Any], folder: Path) -> list[str]:
    needs("kubectl", VALIDATOR)
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    done = subprocess.run(
        (sys.executable, "-m", "kubernetes_validate", "--strict", "--quiet", str(file)),
        env={**os.environ, "PYTHONPATH": str(VALIDATOR)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return (done.stdout + done.stderr).splitlines()


def _route_faults(route: Any) -> Iterator[str]:
    """By the schema of an HTTPRoute; its rules in CEL are for a cluster."""
    needs("kubectl", ROUTES)
    definition = yaml.safe_load(ROUTES.read_text())["spec"]
    group, _, version = route["apiVersion"].partition("/")
    served = {each["name"]: each["schema"]["openAPIV3Schema"] for each in definition["versions"]}
    if group != definition["group"] or version not in served:
        yield f"apiVersion: {route['apiVersion']} is not served"
        return
    for fault in OAS30Validator(_closed(served[version])).iter_errors(route):
        yield f"{fault.json_path}: {fault.message}"


def _closed(schema: Any) -> Any:
    """*schema*, refusing members that it does not name."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
