"""Planted defects of the HTTP layer: dispatch, age and deadlines, limits."""

import pytest
from aiohttp import web

from shared.server.http import dispatch, server
from shared.server.http.lateness import Lateness
from shared.web import cors, form
from shared.web.answers import Head
from shared.web.request import Request


def ignores_middlewares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Middlewares and signals are accepted and never called."""
    monkeypatch.setattr(server, "_check", lambda _: None)


def skips_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose handling failed unexpectedly is never answered, and its connection stays open."""
    respond = dispatch.HttpDispatcher._answer

    async def answer(self: dispatch.HttpDispatcher, request: Request) -> bytes:
        try:
            return await respond(self, request)
        except BaseException:
            return b""

    monkeypatch.setattr(dispatch.HttpDispatcher, "answer", answer)


def is_never_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process handles the requests that it reads when it resumes."""
    monkeypatch.setattr(Lateness, "is_late", lambda _: False)


def keeps_late_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process keeps the connections whose requests it refused."""
    monkeypatch.setattr(Request, "is_last", property(lambda _: False, lambda _, __: None), raising=False)


def answers_at_any_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests have no maximum age and no deadline."""

    async def respond(
        _: dispatch.HttpDispatcher, request: Request, route: dispatch._Route
    ) -> web.StreamResponse:
        return await route.handler(request)

    monkeypatch.setattr(dispatch.HttpDispatcher, "_respond", respond)


def waits_for_malformed_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A malformed chunked body is waited for like a slow one."""
    monkeypatch.setattr(form, "_read", web.Request.read)


def limits_each_field_to_8_kib(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header field is limited to 8 KiB, so cookies of another application make a request malformed."""
    monkeypatch.setattr("shared.server.http.connection.MAX_FIELDS", 8190)


def counts_no_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Header fields are limited individually, but not in total."""
    monkeypatch.setattr(dispatch, "MAX_FIELDS", 1 << 30)


def preflights_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Responses to OPTIONS lack the header fields that every response has."""
    monkeypatch.setattr(cors, "_PREFLIGHT", Head())
