"""The logos of clients: shown from this server, which fetches them with care."""

import asyncio
from html import unescape

import pytest

from services.authorization import client_logos
from services.authorization.client_logos import CLIENT_LOGOS, ClientLogos
from shared.browser.pages.logos import LogoLinks
from shared.fetch import FetchedBody, Fetcher
from shared.paths import CLIENT_LOGO
from tests.authorization import Page
from tests.client_documents import Documents, documents
from tests.deployment import SECRET_KEY
from tests.planted import planted
from tests.planted.client_logos import (
    believes_that_it_is_an_image,
    fetches_each_time,
    fetches_whatever_is_asked,
    keeps_every_logo,
)

__all__ = ["documents"]

GIF = b"GIF89a" + bytes(100)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
LINKS = LogoLinks((SECRET_KEY,))


async def logo_of(documents: Documents, body: bytes, status: int = 200) -> tuple[str, str]:
    """A logo at the host, and where the pages get it."""
    uri = documents.host.url()
    documents.host.answer(uri, body, status, Content_Type="text/html")
    path = LINKS.path(uri)
    assert path
    return uri, path


async def get(documents: Documents, path: str) -> Page:
    """As a browser does."""
    return await documents.service.browser().request("GET", path)


async def test_a_page_shows_a_logo_from_this_server(documents: Documents) -> None:
    """Its host learns of no user: it is asked once, by the server, and nothing else is loaded."""
    uri, path = await logo_of(documents, GIF)
    client = await documents.service.client(logo_uri=uri)
    browser = documents.service.browser()
    page = await browser.authorize(client)
    assert f'<img src="{path}"' in unescape(page.text)
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]
    answers = await asyncio.gather(*(get(documents, path) for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5
    headers = answers[0].headers
    assert headers["Content-Type"] == "image/gif"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, max-age=3600"
    assert documents.host.fetches(uri) == 1


@planted(fetches_each_time)
async def test_a_logo_is_fetched_once_an_hour(documents: Documents) -> None:
    """Whether it can be had or not; one that cannot, once a minute."""
    uri, path = await logo_of(documents, SVG)
    for _ in range(3):
        assert (await get(documents, path)).headers["Content-Type"] == "image/svg+xml"
    assert documents.host.fetches(uri) == 1
    logos = documents.service.app[CLIENT_LOGOS]
    known = logos._cached[uri]
    assert (known.fresh_for, client_logos.LogoImage(None).fresh_for) == (3600, 60)


@planted(fetches_whatever_is_asked)
async def test_nobody_lets_this_server_fetch_anything_else(documents: Documents) -> None:
    """Without the MAC of a page, with that of another URI, or with a part of it."""
    uri, path = await logo_of(documents, GIF)
    mac = path.rpartition("=")[2]
    other, _ = await logo_of(documents, GIF)
    for asked, given in ((other, mac), (uri, mac[:-1]), (uri, "0" * 32), (uri, "é")):
        page = await documents.service.browser().get(CLIENT_LOGO.path, {"uri": asked, "mac": given})
        assert page.status == 404
    assert (await get(documents, CLIENT_LOGO.path)).status == 400
    assert documents.host.fetches(uri) + documents.host.fetches(other) == 0


@planted(believes_that_it_is_an_image)
async def test_what_is_no_image_is_not_sent_on(documents: Documents) -> None:
    """A page, a script, an error, and what is too long: the page shows the first letter instead."""
    for body, status in ((b"<html><script>", 200), (b"", 200), (b"#!/bin/sh", 200), (GIF, 404)):
        _, path = await logo_of(documents, body, status)
        assert (await get(documents, path)).status == 404, body
    _, path = await logo_of(documents, GIF + bytes(client_logos.MAX_LOGO))
    assert (await get(documents, path)).status == 404


@pytest.mark.parametrize("uri", ["https://10.0.0.1/logo.png", "https://127.0.0.1/l", "http://example.org/l"])
async def test_a_logo_leads_into_no_private_network(documents: Documents, uri: str) -> None:
    """The guarded fetcher refuses it, as it refuses all such URIs."""
    path = LINKS.path(uri)
    assert path
    assert (await get(documents, path)).status == 404


async def test_the_former_secret_still_counts() -> None:
    """Pages that were made before the secret changed keep their logos."""
    former, both = LogoLinks(("a" * 32,)), LogoLinks(("b" * 32, "a" * 32))
    uri = "https://rp1.test/logo.png"
    mac = (former.path(uri) or "").rpartition("=")[2]
    assert both.is_shown(uri, mac)
    assert both.path(uri) != former.path(uri)
    assert former.path(None) is None


class _Images:
    """A fetcher whose hosts all have a large image."""

    async def get(self, uri: str, parse: object, most: int) -> object:
        assert callable(parse)
        return parse(FetchedBody(GIF + bytes(most - len(GIF)), "image/gif", {}))


@planted(keeps_every_logo)
async def test_logos_take_a_limited_amount_of_memory() -> None:
    """Those that nobody has asked for the longest give way."""
    fetcher: Fetcher = _Images()  # type: ignore[assignment]  # the part that is used
    logos = ClientLogos(LINKS, fetcher)
    for number in range(100):
        await logos.find(f"https://rp1.test/{number}")
        await logos.find("https://rp1.test/0")  # which stays
    assert sum(len(logo.body) for logo in logos._cached.values()) <= 8 * 1024 * 1024
    assert len(logos._cached) == len(logos._cached.keys() | {"https://rp1.test/0"})
    assert "https://rp1.test/1" not in logos._cached
