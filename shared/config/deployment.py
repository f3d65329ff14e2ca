"""The settings that a running deployment records, so that operators' commands work by them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shared.config.settings import Settings, SettingsError, faults_of

DEPLOYMENT_SETTINGS = (
    "external_urls",
    "fetch_allow",
    "personal_access_token_lifetime",
    "registration",
    "require_pushed_authorization_requests",
    "response_types",
    "sign_up",
    "signing_algorithms",
    "unsigned_request_objects",
)
"""Settings that limit what operators may do: what clients register, and how long tokens of users live.

The running deployment decides them, not an operator's shell.
"""


def deployment_settings(settings: Settings) -> dict[str, Any]:
    """The settings that the running deployment records for operators' commands, as JSON."""
    return settings.model_dump(mode="json", include=set(DEPLOYMENT_SETTINGS))


def with_deployment(settings: Settings, recorded: Mapping[str, Any]) -> Settings:
    """*settings*, with the recorded settings of the running deployment in place of its own.

    Raises SettingsError if another version recorded them and this one cannot read them.
    """
    recorded_values = {name: recorded[name] for name in DEPLOYMENT_SETTINGS if name in recorded}
    try:
        read = Settings.model_validate(recorded_values)
    except ValidationError as error:
        fault = "the running deployment has settings that this version of `ostiary` cannot read"
        raise SettingsError((fault, *faults_of(error))) from None
    return settings.model_copy(update={name: getattr(read, name) for name in recorded_values})
