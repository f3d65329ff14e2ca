"""Mistakes in reading what clients and strangers send, and in judging what they register."""

import json
from typing import Any

import orjson
import pytest

from services.authorization import claims_parameter, request_object
from services.client_registry import software_statement
from shared.oauth import client_auth, json_text, jwt


def _parsed_without_limits(data: bytes) -> Any:
    return json.loads(data)


def claims_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the `claims` parameter to any depth."""
    monkeypatch.setattr(claims_parameter, "parse_object", orjson.loads)


def jwts_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the parts of a JWT to any depth, with lone surrogates and repeated members."""
    monkeypatch.setattr(jwt, "parse_object", _parsed_without_limits)


def depth_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every JSON text nest as deeply as it likes."""
    monkeypatch.setattr(json_text, "MAX_DEPTH", 10_000)


def any_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept a JWT whatever its `typ` says that it was made for."""
    for module in (client_auth, request_object, software_statement):
        monkeypatch.setattr(module, "is_of_type", lambda typ, accepted: True)
