"""The static files of the pages over HTTP."""

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient

from shared.browser.pages import Pages
from shared.browser.pages.assets import CONTENT_TYPES
from shared.config.settings import Settings
from tests import sample_pages

PAGES = Pages.load(Settings(), web.Application())


@pytest.mark.parametrize("file", PAGES.renderer.assets.files)
async def test_static_files_are_kept_for_ever(file: str, aiohttp_client: AiohttpClient) -> None:
    """The address names the content; the browser that has it gets 304."""
    client = await aiohttp_client(sample_pages.application(PAGES))
    response = await client.get(PAGES.renderer.assets.uri(file))
    assert response.status == 200
    assert await response.read() == PAGES.renderer.assets.files[file]
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == CONTENT_TYPES["." + file.rpartition(".")[2]]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    again = await client.get(
        PAGES.renderer.assets.uri(file), headers={"If-None-Match": response.headers["ETag"]}
    )
    assert again.status == 304


@pytest.mark.parametrize(
    "path",
    [
        "/oidc/static/0123456789abcdef/pages.css",
        "/oidc/static/{version}/pages.CSS",
        "/oidc/static/{version}/..%2fstatic.py",
        "/oidc/static/{version}/%2e%2e",
        "/oidc/static/{version}/",
        "/oidc/static/{version}/pages.css%00",
    ],
)
async def test_only_exact_file_names_are_served(path: str, aiohttp_client: AiohttpClient) -> None:
    """Only the files of this version are served."""
    client = await aiohttp_client(sample_pages.application(PAGES))
    assert (await client.get(path.format(version=PAGES.renderer.assets.version))).status == 404


def test_static_files_are_small() -> None:
    """The style sheet, of all pages of both services, stays below 16 KB, and each script below 3 KB."""
    assert len(PAGES.renderer.assets.files["pages.css"]) < 16_000
    assert len(PAGES.renderer.assets.files["passkeys.js"]) < 3_000
    assert len(PAGES.renderer.assets.files["pages.js"]) < 3_000
