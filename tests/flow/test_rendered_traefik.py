"""Traefik with its rendered configuration."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from deploy.local.child import Child, Command
from deploy.proxies import traefik
from deploy.proxies.site import Site
from shared.paths import TOKEN, Service
from tests.certificates import a_certificate
from tests.flow.door import TlsDoor, send
from tests.flow.misbehaving import echo
from tests.flow.starter import free_port
from tests.flow.tls import wrong_handshakes
from tests.tools import needs


def _site(folder: Path, upstreams: Sequence[str]) -> tuple[Site, TlsDoor]:
    files, port = a_certificate("localhost", folder), free_port()
    site = Site(
        host=f"localhost:{port}",
        listen=(f"127.0.0.1:{port}",),
        internal_listen=f"127.0.0.1:{free_port()}",
        certificate=str(files.chain_file),
        certificate_key=str(files.key_file),
        upstreams=dict.fromkeys(Service, upstreams),
    )
    return site, TlsDoor(f"https://localhost:{port}", files.ca_file)


async def test_traefik_maps_a_path_with_its_configuration(tmp_path: Path) -> None:
    """It has no check of its own, so it starts, and passes a request on without forwarding headers."""
    program = needs("traefik")
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    site, door = _site(tmp_path, [f"127.0.0.1:{server.sockets[0].getsockname()[1]}"])
    (tmp_path / "dynamic.yaml").write_text(traefik.render(site))
    (tmp_path / "traefik.yaml").write_text(traefik.render_static(site))

    async def is_ready(_pid: int) -> bool:
        try:
            return (await asyncio.to_thread(send, door, "GET", TOKEN.path)).status == 200
        except OSError:
            return False

    log = tmp_path / "traefik.log"
    child = Child(Command("Traefik", (program, "--configfile=traefik.yaml"), {}, log, is_ready, cwd=tmp_path))
    spoofed = {"X-Forwarded-For": "192.0.2.1", "X-Request-Id": "192.0.2.1", "Client-Cert": "192.0.2.1"}
    async with server:
        await child.start()
        try:
            answer = await asyncio.to_thread(send, door, "GET", TOKEN.path, spoofed)
            wrong = await asyncio.to_thread(wrong_handshakes, door)
            private = await asyncio.to_thread(send, door, "GET", "/oidc/admin/clients/x")
        finally:
            await child.stop()
    assert wrong == []
    assert answer.status == 200
    assert "192.0.2.1" not in answer.text
    assert f"Host: {site.host}" in answer.text
    assert "/oidc/admin/clients/x" in private.text  # the authorization service's page, not the registry's
    assert "error" not in log.read_text().lower()
