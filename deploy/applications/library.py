"""The presets that are installed with Ostiary."""

from functools import cache
from importlib.resources import files

from deploy.applications.preset import Preset, read_preset


@cache
def presets() -> dict[str, Preset]:
    """Every preset by name, in alphabetical order. Raises BadPreset."""
    installed = {file.name: file for file in files("deploy.applications").iterdir()}
    names = sorted(name for name in installed if name.endswith(".toml"))
    return {
        name: read_preset(name, installed[f"{name}.toml"].read_text("utf-8"))
        for name in (file.removesuffix(".toml") for file in names)
    }
