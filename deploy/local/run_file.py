"""`run.env` in the data folder, in which other commands find the servers of `ostiary run`."""

from pathlib import Path

from pydantic import SecretStr

from deploy.local.child import RunError
from deploy.local.folders import write_private
from shared.config.env_file import line, parse
from shared.config.settings import NAME_PREFIX, Settings

_NAME = "run.env"
_SEPARATOR = " "


def write_run_file(data: Path, settings: Settings) -> Path:
    """Write the issuer, the stores and the secret of this run, readable only by its owner."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    values = {
        "OSTIARY_ISSUER": settings.issuer,
        "OSTIARY_DATABASE_URL": settings.database_url.get_secret_value(),
        "OSTIARY_REDIS_URL": settings.redis_url.get_secret_value(),
        "OSTIARY_SECRET_KEY": _SEPARATOR.join(key.get_secret_value() for key in settings.secret_key),
    }
    path = data / _NAME
    write_private(path, "".join(line(name, value) for name, value in values.items()))
    return path


def of_running(settings: Settings) -> Settings:
    """*settings*, completed from the run that uses their data folder.

    Raises RunError if no database is set and there is no such run.
    """
    if settings.database_url is not None:
        return settings
    path = settings.data_dir / _NAME
    try:
        variables = parse(path.read_text("utf-8"), NAME_PREFIX).values
    except OSError:
        raise RunError(
            f"No database is set, and no `ostiary run` uses the data folder {settings.data_dir}:"
            " start `ostiary run`, or set OSTIARY_DATABASE_URL and OSTIARY_REDIS_URL"
        ) from None
    running: dict[str, object] = {
        "issuer": variables["OSTIARY_ISSUER"],
        "database_url": SecretStr(variables["OSTIARY_DATABASE_URL"]),
        "redis_url": SecretStr(variables["OSTIARY_REDIS_URL"]),
        "secret_key": tuple(SecretStr(key) for key in variables["OSTIARY_SECRET_KEY"].split(_SEPARATOR)),
    }
    explicit = settings.model_fields_set
    return settings.model_copy(
        update={name: value for name, value in running.items() if name not in explicit}
    )
