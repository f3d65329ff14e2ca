"""Planted defects of the comparison of a client's epoch with that of its grants and codes."""

from dataclasses import replace

import pytest

from services.authorization.interaction.interaction import Interaction
from services.authorization.request.pushed_request import PushedRequest
from shared.model import Json


class _AnyEpoch(int):
    """An epoch that equals every epoch."""

    __hash__ = int.__hash__

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False


def _matches_every_epoch(monkeypatch: pytest.MonkeyPatch, kind: type[Interaction | PushedRequest]) -> None:
    read = kind.from_json

    def from_json(members: Json) -> Interaction | PushedRequest | None:
        record = read(members)
        return replace(record, client_epoch=_AnyEpoch()) if record else None

    monkeypatch.setattr(kind, "from_json", staticmethod(from_json))


def interactions_have_no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interaction outlives the end of its client's grants."""
    _matches_every_epoch(monkeypatch, Interaction)


def pushed_requests_have_no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pushed request outlives the end of its client's grants."""
    _matches_every_epoch(monkeypatch, PushedRequest)
