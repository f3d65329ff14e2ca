"""The look of the pages that an operator chooses."""

from pathlib import Path

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient

from shared.browser.pages import Pages
from shared.config.environment import read_settings
from shared.config.image import image_type
from shared.config.settings import Settings, SettingsError
from tests import sample_pages
from tests.look import LOGO, looking

PNG = b"\x89PNG\r\n\x1a\n"


async def test_every_page_has_the_look(tmp_path: Path, aiohttp_client: AiohttpClient) -> None:
    """Name, logo, icon and links, with the policy of every page; the host is in the address bar."""
    pages = Pages.load(looking(tmp_path), web.Application())
    client = await aiohttp_client(sample_pages.application(pages))
    plain = sample_pages.responses(Pages.load(Settings(), web.Application()), "en")
    for name, usual in plain.items():
        response = await client.get(f"/en/{name}")
        text = await response.text()
        assert "– Stadtwerke &lt;Musterstadt&gt;</title>" in text
        assert f'<img class="logo" src="{pages.renderer.assets.uri("logo.svg")}" alt="">' in text
        assert f'<link rel="icon" href="{pages.renderer.assets.uri("logo.svg")}">' in text
        assert '<a href="https://example.org/privacy?a=1" target="_blank" rel="noopener noreferrer">' in text
        assert 'href="mailto:help@example.org"' in text
        assert response.headers["Content-Security-Policy"] == usual.headers["Content-Security-Policy"]


async def test_the_files_have_the_look(tmp_path: Path, aiohttp_client: AiohttpClient) -> None:
    """The colours end the style sheet; the logo is served by its content, and can run no script."""
    pages = Pages.load(looking(tmp_path), web.Application())
    client = await aiohttp_client(sample_pages.application(pages))
    style = await (await client.get(pages.renderer.assets.uri("pages.css"))).text()
    assert ":root { --accent: #b3261e;" in style.splitlines()[-2]
    assert "prefers-color-scheme: dark" in style.splitlines()[-1]
    logo = await client.get(pages.renderer.assets.uri("logo.svg"))
    assert await logo.read() == LOGO
    assert logo.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in logo.headers["Content-Security-Policy"]
    assert b"#b3261e" in pages.renderer.assets.files["mark.svg"]
    usual = Pages.load(Settings(), web.Application()).renderer.assets
    assert usual.version != pages.renderer.assets.version
    assert b"#b3261e" not in usual.files["mark.svg"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("NAME", "x" * 61, "1 to 60 visible"),
        ("NAME", "a\u202eb", "visible"),
        ("LOGO_FILE", "/nonexistent/logo.png", "cannot read"),
        ("ACCENT_COLOUR", "#ffcc00", "cannot be read on light pages"),
        ("FOOTER_LINKS", "Help=http://example.org", "must be links"),
        ("FOOTER_LINKS", "Help=javascript:alert(1)", "must be links"),
        ("FOOTER_LINKS", "=https://example.org", "must be links"),
        ("FOOTER_LINKS", "Help", "must be links"),
        ("FOOTER_LINKS", ",".join(f"{n}=https://example.org" for n in range(7)), "at most 6"),
    ],
)
def test_a_bad_look_is_refused_with_a_sentence(name: str, value: str, words: str) -> None:
    """The process does not start."""
    with pytest.raises(SettingsError, match=words):
        read_settings({f"OSTIARY_{name}": value})


@pytest.mark.parametrize("data", [b"", b"<html><svg></svg></html>", b"PK\x03\x04", PNG + bytes(256 * 1024)])
def test_a_logo_is_a_small_image(data: bytes, tmp_path: Path) -> None:
    """Its content decides, not its name."""
    file = tmp_path / "logo.png"
    file.write_bytes(data)
    with pytest.raises(SettingsError, match="OSTIARY_LOGO_FILE"):
        read_settings({"OSTIARY_LOGO_FILE": str(file)})


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (LOGO, "image/svg+xml"),
        (b"\xef\xbb\xbf<!-- a --> <svg>", "image/svg+xml"),
        (b"<svgx>", None),
        (b"<!DOCTYPE html>", None),
        (b"RIFF\x10\0\0\0WAVE", None),
    ],
)
def test_an_image_is_known_by_its_first_bytes(data: bytes, media_type: str | None) -> None:
    """Nothing that a browser would take for a page is among them."""
    assert image_type(data) == media_type
