"""Planted defects of the delivery of clients' logos."""

import pytest

from services.authorization import client_logos
from shared.browser.pages.logos import LogoLinks


def fetches_whatever_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody lets this server fetch any URI."""
    monkeypatch.setattr(LogoLinks, "is_shown", lambda *_: True)


def believes_that_it_is_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a host sends is sent on."""
    monkeypatch.setattr(client_logos, "image_type", lambda _: "image/png")


def fetches_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logo is fetched for each page, and one that cannot be had again and again."""
    monkeypatch.setattr(client_logos, "FRESH_FOR", -1.0)
    monkeypatch.setattr(client_logos, "FAILED_FOR", -1.0)


def keeps_every_logo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory for logos has no limit."""
    monkeypatch.setattr(client_logos, "MAX_KEPT", 2**40)
