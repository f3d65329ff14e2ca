"""The servers that the services use, and their secrets."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from shared.config.mail_address import parse_mail_address, parse_sender
from shared.config.redis_address import RedisAddress


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


PostgresqlUrl = Annotated[SecretStr, AfterValidator(_postgresql_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
Sender = Annotated[str, AfterValidator(_sender)]
SecretKey = Annotated[SecretStr, AfterValidator(_long_enough)]
SecretKeys = Annotated[tuple[SecretKey, ...], BeforeValidator(_secret_keys), Field(max_length=2)]
