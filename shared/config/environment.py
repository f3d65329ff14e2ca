"""The environment: settings are read from it, all errors together, and written for a child process.

`OSTIARY_ENV_FILE` may name a file of NAME=value lines (`shared/config/env_file.py`); the environment takes
precedence.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from shared.config.env_file import EnvFile, parse
from shared.config.settings import NAME_PREFIX, Settings, SettingsError, faults_of

FILES = frozenset({"OSTIARY_ENV_FILE", "OSTIARY_SECRET_KEY_FILE"})  # that contain settings
NOT_SETTINGS = FILES | {"OSTIARY_REQUIRE"}  # the latter is for the tests


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings from *environ* and its `OSTIARY_ENV_FILE`.

    Raises SettingsError with every fault found: unknown names, malformed values, unreadable files.
    """
    env_file = _read_env_file(environ.get("OSTIARY_ENV_FILE"))
    of_environment = {name: value for name, value in environ.items() if name.startswith(NAME_PREFIX)}
    variables = {**env_file.values, **of_environment}
    values = {
        name.removeprefix(NAME_PREFIX).lower(): value
        for name, value in variables.items()
        if name not in NOT_SETTINGS and value != ""
    }
    faults = tuple(f"OSTIARY_ENV_FILE: {fault}" for fault in env_file.faults)
    if file := variables.get("OSTIARY_SECRET_KEY_FILE"):
        if "secret_key" in values:
            faults += ("set OSTIARY_SECRET_KEY or OSTIARY_SECRET_KEY_FILE, not both",)
        try:
            values["secret_key"] = Path(file).read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            faults += (f"OSTIARY_SECRET_KEY_FILE: {error}",)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError((*faults, *faults_of(error))) from None
    if faults:
        raise SettingsError(faults)
    return settings


def secret_files(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The files that hold settings and the secret key. Raises SettingsError."""
    variables = {**_read_env_file(environ.get("OSTIARY_ENV_FILE")).values, **environ}
    return tuple(Path(variables[name]) for name in sorted(FILES) if variables.get(name))


def _read_env_file(path: str | None) -> EnvFile:
    if not path:
        return EnvFile({}, ())
    try:
        return parse(Path(path).read_text("utf-8"), NAME_PREFIX)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((f"OSTIARY_ENV_FILE: cannot read {path}: {error}",)) from None


def nth_address(address: str, index: int) -> str:
    """The address of process *index* among those that share *address*: port + index, or path.index."""
    if address.startswith("unix:"):
        return f"{address}.{index}" if index else address
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + index}"


def child_environment(settings: Settings, index: int) -> dict[str, str]:
    """The environment for child *index* of this process, with the same *settings*, secrets included."""
    metrics = nth_address(settings.metrics_listen, index) if settings.metrics_listen else ""
    urls = {
        "OSTIARY_DATABASE_URL": settings.database_url,
        "OSTIARY_REDIS_URL": settings.redis_url,
        "OSTIARY_SMTP_URL": settings.smtp_url,
    }
    return {
        **os.environ,
        **{name: url.get_secret_value() for name, url in urls.items() if url},
        "OSTIARY_SECRET_KEY": ",".join(key.get_secret_value() for key in settings.secret_key),
        "OSTIARY_SECRET_KEY_FILE": "",  # already read
        "OSTIARY_METRICS_LISTEN": metrics,
        "OSTIARY_DRAIN_DELAY": f"{settings.drain_delay.total_seconds():.0f}s",
        "OSTIARY_WORKER": "token",
        "OSTIARY_ROOT_ALIASES": "on" if settings.root_aliases else "off",
    }
