"""Every block of the README, executed in a clean clone with other ports."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import aiohttp
import pytest
from playwright.async_api import async_playwright, expect

from tests.flow.starter import ROOT, eventually, free_port
from tests.passkeys import a_phone
from tests.screenshots import ARGUMENTS
from tests.tools import needs

pytestmark = pytest.mark.timeout(400)

HANG_GUARD = 300  # seconds: installing takes half a minute
_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STORY = re.compile(r"^1\. Open .*?^4\. [^\n]*$", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Readme:
    """A clean clone, and the blocks of its README with the ports of the test."""

    folder: Path
    issuer: str
    relying_party: str
    blocks: tuple[tuple[str, str], ...]
    story: str

    @property
    def demo(self) -> dict[str, str]:
        """The credentials that `make run` has stored."""
        demo: dict[str, str] = json.loads((self.folder / ".ostiary/demo.json").read_text())
        return demo

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OSTIARY_", "MAKE", "MFLAGS"))
        }
        return {**kept, "OSTIARY_ISSUER": self.issuer}

    def start(self, command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def readme(tmp_path_factory: pytest.TempPathFactory) -> Readme:
    """The clone."""
    folder = tmp_path_factory.mktemp("readme") / "ostiary"
    subprocess.run(("git", "clone", "--quiet", ROOT, folder), check=True, timeout=HANG_GUARD)
    origin, relying_party = f"localhost:{free_port()}", f"127.0.0.1:{free_port()}"
    text = (folder / "README.md").read_text("utf-8").replace("localhost:8080", origin)
    host, _, port = relying_party.partition(":")
    text = text.replace("localhost:9000", relying_party)
    text = text.replace('host="localhost", port=9000', f'host="{host}", port={port}')
    blocks = tuple((kind, block) for kind, block in _BLOCK.findall(text))
    story = _STORY.search(text)
    assert story
    return Readme(folder, f"http://{origin}/oidc", f"http://{relying_party}/", blocks, story[0])


def _pattern(expected: str) -> "re.Pattern[str]":
    """A pattern for the output, with … for varying parts."""
    return re.compile(".*?".join(re.escape(part) for part in expected.split("…")), re.DOTALL)


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, and what it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected.strip()


def _run(readme: Readme, command: str, expected: str) -> None:
    done = subprocess.run(
        command,
        shell=True,
        cwd=readme.folder,
        env=readme.environment,
        capture_output=True,
        text=True,
        timeout=HANG_GUARD,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert _pattern(expected).fullmatch(done.stdout.strip()), (command, done.stdout)


async def _sign_in(readme: Readme) -> dict[str, object]:
    """Open the relying party, sign in and consent. Returns its final page."""
    demo, timeout = readme.demo, aiohttp.ClientTimeout(60)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=timeout) as http:
        async with http.get(readme.relying_party) as page:
            fields = dict(_HIDDEN.findall(await page.text()))
        fields |= {"username": demo["username"], "password": demo["password"]}
        async with http.post(f"{readme.issuer}/login", data=fields) as page:
            fields = {**dict(_HIDDEN.findall(await page.text())), "decision": "allow"}
        async with http.post(f"{readme.issuer}/consent", data=fields) as answer:
            claims: dict[str, object] = await answer.json()
            return claims


def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").strip("/").partition(":")
    try:
        asyncio.run(_connect(host, int(port)))
    except OSError:
        return False
    return True


async def _connect(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()


@pytest.fixture(scope="module")
def running(readme: Readme) -> Iterator[Readme]:
    """The first block: `make run` prints what the README shows, and stops at an interrupt."""
    ((start, expected),) = _commands(readme.blocks[0][1])
    process = readme.start(start)
    printed: list[str] = []
    assert process.stdout is not None
    reading = Thread(target=lambda: printed.extend(process.stdout or ()), daemon=True)
    reading.start()
    try:
        last_line = expected.rpartition("\n")[2]
        while not any(last_line in line for line in printed):
            assert process.poll() is None, "".join(printed)
            reading.join(0.05)
        assert _pattern(expected).fullmatch("".join(printed).strip()), "".join(printed)
        yield readme
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(HANG_GUARD)
        reading.join(HANG_GUARD)
        process.stdout.close()
    assert "Stopping" in "".join(printed)


def test_every_block_runs_as_written(running: Readme) -> None:
    """The relying party signs in, and the commands do what they say."""
    tests, program, *consoles = (block for _, block in running.blocks[1:])
    ((test, _),) = _commands(tests)
    _run(running, test.replace("make", "make --dry-run"), "…")

    (running.folder / "rp.py").write_text(program)
    relying_party = running.start(".venv/bin/python rp.py")
    try:
        eventually(lambda: _answers(running.relying_party) or None, "the relying party listens")
        claims = asyncio.run(_sign_in(running))
        assert (claims["iss"], claims["aud"]) == (running.issuer, ["demo"])
    finally:
        relying_party.kill()
        relying_party.communicate()

    for command, shown in (each for console in consoles for each in _commands(console)):
        _run(running, command, shown)


async def test_the_story_of_a_passkey(running: Readme) -> None:
    """The steps that the README lists, with the words that it quotes from the pages."""
    set_up, add, back, counted, sign_out = re.findall(r"\*\*(.+?)\*\*", running.story)
    demo, account = running.demo, f"{running.issuer}/account"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs("browser"), args=ARGUMENTS)
        page = await browser.new_page()
        await a_phone(page)
        await page.goto(account)
        await page.fill("#username", demo["username"])
        await page.fill("#password", demo["password"])
        await page.click("#login-submit")
        await page.get_by_role("link", name=f"{set_up} Passkeys").click()
        await page.get_by_role("button", name=add).click()
        await expect(page.locator(".rows li")).to_have_count(1)
        await page.get_by_role("link", name=back).click()
        await expect(page.get_by_text(counted)).to_be_visible()
        await page.get_by_role("link", name=sign_out).click()
        await page.click("#logout-confirm")
        await expect(page.locator("h1")).to_have_text("You are signed out")
        await page.goto(account)
        await expect(page.get_by_text(counted)).to_be_visible()
        await browser.close()
