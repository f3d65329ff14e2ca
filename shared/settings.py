"""The settings: one frozen object, read once from the environment, all faults reported together.

`OSTIARY_ENV_FILE` may name a file of NAME=value lines; the environment wins over it.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from shared.paths import PREFIX

NAME_PREFIX = "OSTIARY_"
NOT_SETTINGS = frozenset({"OSTIARY_ENV_FILE", "OSTIARY_REQUIRE"})  # the second belongs to the tests

ResponseType = Literal[
    "code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"
]
SigningAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
UILocale = Literal["en", "de", "fr"]

RESPONSE_TYPES: tuple[ResponseType, ...] = get_args(ResponseType)
SIGNING_ALGORITHMS: tuple[SigningAlgorithm, ...] = ("RS256", "ES256", "EdDSA")  # unless others are set
UI_LOCALES: tuple[UILocale, ...] = get_args(UILocale)

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class SettingsError(Exception):
    """The settings do not hold; `faults` has one sentence for each fault."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (match := _DURATION.fullmatch(value.strip())):
        raise ValueError("is not a duration: write seconds, or a number with s, m, h or d, such as 10m")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def parse_duration(text: str) -> timedelta:
    """Seconds, or a number with a unit: `90`, `10m`, `60d`. Raises ValueError."""
    value = _duration(text)
    assert isinstance(value, timedelta)
    return _positive(value)


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def is_loopback(host: str) -> bool:
    """Whether *host*, a name or an IP literal without brackets, can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _issuer(value: str) -> str:
    """OpenID Connect Discovery 1.0 §3: https, no query, no fragment; http for loopback hosts only."""
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if url.scheme not in ("https", "http") or not host or url.query or url.fragment or url.username:
        raise ValueError(f"must look like https://id.example.org{PREFIX}")
    if url.path != PREFIX:
        raise ValueError(f"must end in {PREFIX}, and in nothing more")
    if url.scheme == "http" and not is_loopback(host):
        raise ValueError("may use http for a loopback host only: use https")
    if value != value.lower() or value != value.strip():
        raise ValueError("must be written in lower case and without spaces: clients compare it byte for byte")
    return value


def _origin(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("https", "http") or not url.hostname or url.path not in ("", "/") or url.query:
        raise ValueError("must be origins such as https://files.example.org")
    return value.rstrip("/")


def _redis_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _postgresql_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://")
    return value


def _response_types(value: object) -> object:
    listed = _listed(value)
    return RESPONSE_TYPES if listed == ("all",) else listed


def _network(value: str) -> str:
    if value != "unix":
        ip_network(value)
    return value


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("must be host:port")
    return value


def _secret_keys(value: object) -> object:
    return (
        tuple(SecretStr(part) for part in value.replace(",", " ").split())
        if isinstance(value, str)
        else value
    )


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:
        raise ValueError("must have at least 32 characters: `openssl rand -base64 32` makes one")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Switch = Annotated[bool, BeforeValidator(lambda value: {"on": True, "off": False}.get(str(value), value))]
PostgresqlUrl = Annotated[SecretStr, AfterValidator(_postgresql_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
SecretKey = Annotated[SecretStr, AfterValidator(_long_enough)]


class Settings(BaseModel):
    """All settings, by the name of their variable without the prefix and in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: Annotated[str, AfterValidator(_issuer)] = f"http://localhost:8080{PREFIX}"
    external_urls: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_listed)
    ] = ()
    data_dir: Path = Path(".ostiary")
    database_url: PostgresqlUrl | None = None
    database_direct_url: PostgresqlUrl | None = None
    redis_url: RedisUrl | None = None
    secret_key: Annotated[tuple[SecretKey, ...], BeforeValidator(_secret_keys), Field(max_length=2)] = ()
    secret_key_file: Path | None = None

    response_types: Annotated[
        tuple[ResponseType, ...], BeforeValidator(_response_types), Field(min_length=1)
    ] = ("code",)
    registration: Literal["open", "token", "closed"] = "token"
    unused_client_lifetime: Duration = timedelta(days=30)
    client_quota: Annotated[int, Field(ge=1)] = 10_000
    session_management: Switch = True
    software_statement_issuers: Path | None = None
    require_pushed_authorization_requests: Switch = False
    unsigned_request_objects: Switch = False

    access_token_lifetime: Duration = timedelta(minutes=10)
    id_token_lifetime: Duration = timedelta(hours=1)
    refresh_token_lifetime: Duration = timedelta(days=60)
    refresh_token_reuse_window: Duration = timedelta(seconds=60)
    grant_lifetime: Duration = timedelta(days=365)
    authorization_code_lifetime: Duration = timedelta(seconds=60)
    interaction_lifetime: Duration = timedelta(minutes=30)
    session_lifetime: Duration = timedelta(hours=12)
    session_idle_lifetime: Duration = timedelta(hours=2)

    root_aliases: Switch = False
    signing_algorithms: Annotated[
        tuple[SigningAlgorithm, ...], BeforeValidator(_listed), Field(min_length=1)
    ] = SIGNING_ALGORITHMS
    key_rotation: Duration = timedelta(days=90)
    jwks_max_age: Duration = timedelta(minutes=5)
    ui_locales: Annotated[tuple[UILocale, ...], BeforeValidator(_listed), Field(min_length=1)] = UI_LOCALES
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_listed)
    ] = ("unix", "127.0.0.0/8", "::1/128")
    fetch_allow: Annotated[
        tuple[Annotated[str, AfterValidator(_host_port)], ...], BeforeValidator(_listed)
    ] = ()
    fetch_ca_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_listen: str | None = None
    rate_limits: Switch = True

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if "RS256" not in self.signing_algorithms:
            raise ValueError("OSTIARY_SIGNING_ALGORITHMS must hold RS256: every client may ask for it")
        if self.secret_key and self.secret_key_file:
            raise ValueError("set OSTIARY_SECRET_KEY or OSTIARY_SECRET_KEY_FILE, not both")
        return self

    @property
    def origin(self) -> str:
        """The issuer's origin, which is also the first external URL unless others are set."""
        return self.issuer.removesuffix(PREFIX)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this deployment over TLS."""
        return self.issuer.startswith("https:")


def _env_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((f"OSTIARY_ENV_FILE: cannot read {path}: {error}",)) from None
    pairs = (line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _sentences(error: ValidationError) -> tuple[str, ...]:
    sentences = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        if not fault["loc"]:
            sentences.append(message)
            continue
        name = NAME_PREFIX + str(fault["loc"][0]).upper()
        if fault["type"] == "extra_forbidden":
            message = "there is no such setting"
        sentences.append(f"{name}: {message}")
    return tuple(sentences)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings from *environ* and its `OSTIARY_ENV_FILE`.

    Raises SettingsError with every fault found: unknown names, malformed values, unreadable files.
    """
    named = _env_file(Path(file)) if (file := environ.get("OSTIARY_ENV_FILE")) else {}
    named |= {name: value for name, value in environ.items() if name.startswith(NAME_PREFIX)}
    values = {
        name.removeprefix(NAME_PREFIX).lower(): value
        for name, value in named.items()
        if name not in NOT_SETTINGS and value != ""
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_sentences(error)) from None
    if settings.secret_key_file is None:
        return settings
    try:
        secret_key = settings.secret_key_file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((f"OSTIARY_SECRET_KEY_FILE: {error}",)) from None
    try:
        return Settings.model_validate(values | {"secret_key": secret_key, "secret_key_file": None})
    except ValidationError as error:
        raise SettingsError(_sentences(error)) from None


def nth_address(address: str, index: int) -> str:
    """Where process *index* of those that share one address listens: port + index, or path.index."""
    if address.startswith(("/", "unix:")):
        path = address.removeprefix("unix:")
        return f"unix:{path}.{index}" if index else f"unix:{path}"
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + index}"


def child_environment(settings: Settings, index: int) -> dict[str, str]:
    """The environment in which child *index* of this process reads *settings*: stores and secret included."""
    metrics = nth_address(settings.metrics_listen, index) if settings.metrics_listen else ""
    urls = {"OSTIARY_DATABASE_URL": settings.database_url, "OSTIARY_REDIS_URL": settings.redis_url}
    return {
        **os.environ,
        **{name: url.get_secret_value() for name, url in urls.items() if url},
        "OSTIARY_SECRET_KEY": ",".join(key.get_secret_value() for key in settings.secret_key),
        "OSTIARY_SECRET_KEY_FILE": "",  # it has been read
        "OSTIARY_METRICS_LISTEN": metrics,
        "OSTIARY_ROOT_ALIASES": "on" if settings.root_aliases else "off",
    }
