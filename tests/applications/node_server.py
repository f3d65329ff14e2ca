"""A server in Node, in whose script stand the lines of a preset."""

import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.catalogue import HERE, Application
from tests.applications.client import AddedClient
from tests.applications.serving import serving
from tests.flow.op import Op
from tests.interop.chromium import new_page
from tests.tools import needs

PLACE = "// THE LINES OF THE PRESET"


@asynccontextmanager
async def node_server(
    op: Op, application: Application, folder: Path, client: AddedClient, files: Iterable[tuple[str, str]] = ()
) -> AsyncIterator[Page]:
    """Serves `server.mjs` of the application, and opens a browser.

    The lines stand at their place in the script, which may import *files* (names and texts).
    """
    script = (application.folder / "server.mjs").read_text("utf-8").replace(PLACE, "\n".join(client.lines))
    for name, text in (("server.mjs", script), *files):
        (folder / name).write_text(text, "utf-8")
    for name in ("package.json", "node_modules"):
        (folder / name).symlink_to(application.environment / name)
    shutil.copy(HERE / "page.mjs", folder)
    argv = (needs("node"), "server.mjs")
    async with (
        serving(op, argv, folder, client.port, {"PORT": str(client.port)}),
        new_page(op, folder / "home") as page,
    ):
        yield page
