"""The objects for Kubernetes, from `kubectl kustomize`, and the verdict of kubernetes-validate."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.kubernetes.render import FOLDER
from tests.tools import needs

OVERLAYS = ("small", "production")
VALIDATOR = Path(__file__).parents[2] / ".cache" / "kubernetes-validate"
NOT_OF_KUBERNETES = "Couldn't find schema for kind HTTPRoute"  # the Gateway API has its own releases


def overlay(name: str) -> str:
    """All objects of an overlay."""
    command = (needs("kubectl"), "kustomize", str(FOLDER / "overlays" / name))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def faults(objects: Sequence[Any], folder: Path) -> list[str]:
    """What is wrong with *objects* by the strict schemas of Kubernetes: unknown members too."""
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
    said = (done.stdout + done.stderr).splitlines()
    return [line for line in said if NOT_OF_KUBERNETES not in line]
