"""A log that cannot be written does not affect the services."""

import json
import os
from pathlib import Path

from aiohttp import ClientSession, UnixConnector

from shared.config.settings import Settings
from tests.builders import World
from tests.flow.test_operations import BASE, ServeAll, serving, until, world

__all__ = ["world"]

REQUESTS = 1500  # their lines are more than a pipe and the buffer hold


async def _answers_all(running: ServeAll) -> None:
    assert {await running.status("/oidc/userinfo") for _ in range(REQUESTS)} == {401}
    assert running.process.poll() is None


async def _dropped(running: ServeAll) -> float:
    """The number of dropped lines in the metrics."""
    async with (
        ClientSession(connector=UnixConnector(str(running.metrics))) as http,
        http.get(f"{BASE}/metrics") as response,
    ):
        lines = (await response.text()).splitlines()
    (value,) = (line.rpartition(" ")[2] for line in lines if 'event="log_line",outcome="dropped"' in line)
    return float(value)


async def test_a_full_disk_ends_no_service(world: tuple[World, Settings], tmp_path: Path) -> None:
    """Every line is dropped and counted."""
    full = os.open("/dev/full", os.O_WRONLY)
    async with serving(world[1], tmp_path, stderr=full) as running:
        await _answers_all(running)
        assert await _dropped(running) > REQUESTS
    os.close(full)


async def test_a_reader_that_is_gone_ends_no_service(world: tuple[World, Settings], tmp_path: Path) -> None:
    """The log's pipe breaks while the service runs."""
    reading, writing = os.pipe()
    async with serving(world[1], tmp_path, stderr=writing) as running:
        os.close(writing)
        os.close(reading)
        await _answers_all(running)
        assert await _dropped(running) >= REQUESTS


async def test_a_reader_that_stops_hangs_no_service(world: tuple[World, Settings], tmp_path: Path) -> None:
    """Responses do not wait for the log; a reader that resumes gets the number of missing lines."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    content = b""

    def is_told() -> bool:
        nonlocal content
        try:
            content += os.read(reading, 1 << 20)
        except BlockingIOError:
            return False
        return b"log_lines_dropped" in content

    async with serving(world[1], tmp_path, stderr=writing) as running:
        os.close(writing)
        await _answers_all(running)
        dropped = await _dropped(running)
        await until(is_told)
    events = [json.loads(line) for line in content.splitlines()]
    (notice,) = (event for event in events if event["event"] == "log_lines_dropped")
    assert notice["count"] == dropped > 0
    assert sum(event.get("route") == "/oidc/userinfo" for event in events) + dropped >= REQUESTS
    os.close(reading)
