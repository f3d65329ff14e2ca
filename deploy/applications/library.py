"""The presets that are installed with Ostiary."""

from functools import cache
from importlib.resources import files

from deploy.applications.preset import Preset, read_preset


@cache
def presets() -> dict[str, Preset]:
    """Every preset by name, in alphabetical order. Raises BadPreset."""
    installed = (file for file in files("deploy.applications").iterdir() if file.name.endswith(".toml"))
    texts = {file.name.removesuffix(".toml"): file.read_text("utf-8") for file in installed}
    return {name: read_preset(name, text) for name, text in sorted(texts.items())}
