"""The kinds of values of settings: their form, and what is rejected."""

import re
import ssl
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr

from shared.config.colour import Accent, parse_accent
from shared.config.image import image_type
from shared.config.mail_address import parse_mail_address, parse_sender
from shared.config.origin import has_default_port, leading_origin
from shared.config.redis_address import RedisAddress
from shared.config.related_origins import few_labels, passkey_origin, rp_id
from shared.paths import PREFIX

ResponseType = Literal[
    "code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"
]
SigningAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
UILocale = Literal["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh", "ar"]

RESPONSE_TYPES: tuple[ResponseType, ...] = get_args(ResponseType)
SIGNING_ALGORITHMS: tuple[SigningAlgorithm, ...] = ("RS256", "ES256", "EdDSA")  # by default
UI_LOCALES: tuple[UILocale, ...] = get_args(UILocale)

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (match := _DURATION.fullmatch(value.strip())):
        raise ValueError("is not a duration: write seconds, or a number with s, m, h or d, such as 10m")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def parse_duration(text: str) -> timedelta:
    """A duration in seconds, or with a unit: `90`, `10m`, `60d`. Raises ValueError."""
    value = _duration(text)
    assert isinstance(value, timedelta)
    return _positive(value)


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than zero")
    return value


def _of_days(value: timedelta) -> timedelta:
    if not timedelta(days=1) <= value <= timedelta(days=365):
        raise ValueError("must be between 1d and 365d")
    return value


def _seconds(value: timedelta) -> str:
    return f"{value.total_seconds():.0f}s"


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def is_loopback(host: str) -> bool:
    """Whether *host*, a name or an IP literal without brackets, is always this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def issuer(value: str) -> str:
    """An issuer (Discovery 1.0 §3): https, no query, no fragment; http only for loopback hosts."""
    if value != value.lower() or re.search(r"\s", value):
        raise ValueError("must be written in lower case and without spaces: clients compare it byte for byte")
    if not value.isascii():
        raise ValueError("must have the host in its ASCII form, such as https://xn--bcher-kva.example/oidc")
    if (origin := leading_origin(value)) is None:
        raise ValueError(f"must look like https://id.example.org{PREFIX}")
    if value != origin + PREFIX:
        raise ValueError(f"must end in {PREFIX}")
    if has_default_port(origin):
        raise ValueError("must not contain the default port of its scheme")
    if origin.startswith("http:") and not is_loopback(urlsplit(origin).hostname or ""):
        raise ValueError("must use https, except for a loopback host")
    return value


def _origin(value: str) -> str:
    if leading_origin(value.lower()) != value.lower().removesuffix("/"):
        raise ValueError("must be origins such as https://files.example.org")
    return value.removesuffix("/")


def _redis_url(value: SecretStr) -> SecretStr:
    RedisAddress.parse(value.get_secret_value())
    return value


def _postgresql_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    parse_mail_address(value.get_secret_value())
    return value


def _sender(value: str) -> str:
    parse_sender(value)
    return value


def _response_types(value: object) -> object:
    listed = _listed(value)
    return RESPONSE_TYPES if listed == ("all",) else listed


def _network(value: str) -> str:
    if value != "unix":
        ip_network(value)
    return value


def _document(value: str) -> str:
    """The URL of a client ID metadata document, a host, or `*.` and a host."""
    if value.startswith("https://"):
        return value
    if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", value):
        raise ValueError("must be https URLs, or hosts such as example.org and *.example.org, in lower case")
    return value


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("must be host:port")
    return value


def address(value: str) -> str:
    """The address on which a process listens: `HOST:PORT`, `unix:PATH` or an absolute path.

    Raises ValueError.
    """
    if value.startswith("/"):
        return f"unix:{value}"
    host, _, port = value.rpartition(":")
    is_port = bool(host) and port.isdecimal() and int(port) < 65536
    if not value.removeprefix("unix:") or not (value.startswith("unix:") or is_port):
        raise ValueError("must be HOST:PORT or unix:PATH")
    return value


def _traces_endpoint(value: str) -> str:
    """The URL of OTLP over HTTP, where the path of a collector may be left out."""
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
        raise ValueError("must be an http or https URL such as http://collector:4318")
    return value if url.path.strip("/") else f"{value.rstrip('/')}/v1/traces"


def _ca_file(value: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except OSError as error:
        raise ValueError(f"no certificate can be read from {value}: {error}") from None
    return value


MAX_DISPLAY_NAME = 60
MAX_LOGO = 256 * 1024
MAX_LINKS = 6


@dataclass(frozen=True, slots=True)
class FooterLink:
    """A link below every page."""

    text: str
    uri: str


def _display_name(value: str) -> str:
    name = value.strip()
    if not name or len(name) > MAX_DISPLAY_NAME or not name.isprintable():
        raise ValueError(f"must have 1 to {MAX_DISPLAY_NAME} visible characters")
    return name


def _logo_file(value: Path) -> Path:
    try:
        data = value.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {value}: {error.strerror}") from None
    if image_type(data) is None:
        raise ValueError(f"{value} is not a PNG, JPEG, GIF, WebP or SVG image")
    if len(data) > MAX_LOGO:
        raise ValueError(f"{value} has more than {MAX_LOGO // 1024} KiB")
    return value


def _accent(value: object) -> object:
    return parse_accent(value) if isinstance(value, str) else value


def _footer_link(value: object) -> object:
    if not isinstance(value, str):
        return value
    text, _, uri = (part.strip() for part in value.partition("="))
    url = urlsplit(uri)
    is_link = (url.scheme == "https" and url.hostname) or (url.scheme == "mailto" and url.path)
    if not text or not text.isprintable() or not is_link or re.search(r"[\s\"'<>\\]", uri):
        raise ValueError("must be links such as Help=https://example.org/help, separated by commas")
    return FooterLink(text, uri)


def _with_rs256(value: tuple[SigningAlgorithm, ...]) -> tuple[SigningAlgorithm, ...]:
    if "RS256" not in value:
        raise ValueError("must include RS256, which every client may use")
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


Delay = Annotated[timedelta, BeforeValidator(_duration)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
DurationOfDays = Annotated[Duration, AfterValidator(_of_days), PlainSerializer(_seconds, when_used="json")]
Switch = Annotated[bool, BeforeValidator(lambda value: {"on": True, "off": False}.get(str(value), value))]
PostgresqlUrl = Annotated[SecretStr, AfterValidator(_postgresql_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
Sender = Annotated[str, AfterValidator(_sender)]
SecretKey = Annotated[SecretStr, AfterValidator(_long_enough)]
SecretKeys = Annotated[tuple[SecretKey, ...], BeforeValidator(_secret_keys), Field(max_length=2)]
Issuer = Annotated[str, AfterValidator(issuer)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_listed)]
RpId = Annotated[str, AfterValidator(rp_id)]
PasskeyOrigins = Annotated[
    tuple[Annotated[str, AfterValidator(passkey_origin)], ...],
    BeforeValidator(_listed),
    AfterValidator(few_labels),
]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_listed)]
HostPorts = Annotated[tuple[Annotated[str, AfterValidator(_host_port)], ...], BeforeValidator(_listed)]
Documents = Annotated[tuple[Annotated[str, AfterValidator(_document)], ...], BeforeValidator(_listed)]
ResponseTypes = Annotated[tuple[ResponseType, ...], BeforeValidator(_response_types), Field(min_length=1)]
Address = Annotated[str, AfterValidator(address)]
CAFile = Annotated[Path, AfterValidator(_ca_file)]
TracesEndpoint = Annotated[str, AfterValidator(_traces_endpoint)]
DisplayedName = Annotated[str, AfterValidator(_display_name)]
LogoFile = Annotated[Path, AfterValidator(_logo_file)]
AccentColour = Annotated[Accent, BeforeValidator(_accent)]
FooterLinks = Annotated[
    tuple[Annotated[FooterLink, BeforeValidator(_footer_link)], ...],
    BeforeValidator(_listed),
    Field(max_length=MAX_LINKS),
]
SigningAlgorithms = Annotated[
    tuple[SigningAlgorithm, ...], BeforeValidator(_listed), AfterValidator(_with_rs256)
]
UILocales = Annotated[tuple[UILocale, ...], BeforeValidator(_listed), Field(min_length=1)]
