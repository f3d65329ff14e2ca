"""Preflight requests: pages of other origins may send any header field, and no credentials."""

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from shared.config.settings import Settings
from shared.paths import Path, Service
from shared.server.app import application
from shared.web.answers import json_answer
from shared.web.cors import cross_origin
from tests.planted import http, planted
from tests.served import Served

PATH = Path("/clients/{client_id}", Service.CLIENT_REGISTRY)


async def _answer(_: web.Request) -> web.Response:
    return json_answer({})


def _mount(app: web.Application) -> None:
    app.router.add_get(PATH.path, _answer)
    app.router.add_delete(PATH.path, _answer)
    cross_origin(app, [PATH])


async def _preflight(asked: str) -> ClientResponse:
    async with TestClient(Served(application(Settings(), _mount))) as client:
        headers = {
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": asked,
        }
        return await client.options("/clients/a", headers=headers)


@pytest.mark.parametrize("asked", ["mcp-protocol-version", "traceparent,authorization", "a, b ,c"])
async def test_any_header_field_may_be_sent(asked: str) -> None:
    """The response repeats the requested fields, and has a matching Vary."""
    response = await _preflight(asked)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Headers"] == asked
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, OPTIONS"
    assert "Access-Control-Request-Headers" in response.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("asked", ["", "a b", "a:b", "\xff", "a,,b", "ä"])
async def test_what_names_no_field_is_not_repeated(asked: str) -> None:
    """A malformed list of field names is not repeated (RFC 9110 §5.6)."""
    response = await _preflight(asked)
    assert response.status == 204
    assert "Access-Control-Allow-Headers" not in response.headers


@planted(http.preflights_bare)
async def test_the_answer_is_not_sniffed() -> None:
    """The response to a preflight has `nosniff`, like every other."""
    assert (await _preflight("a")).headers["X-Content-Type-Options"] == "nosniff"
