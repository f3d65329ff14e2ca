"""Spring Boot with Spring Security's OAuth2 client."""

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.applications.client import AddedClient
from tests.applications.person import PERSON, is_person
from tests.applications.serving import needs_application, serving
from tests.applications.visitor import Visitor
from tests.flow.op import Op
from tests.tools import needs

NAME = "spring-boot"
PASSWORD = "changeit"


@asynccontextmanager
async def spring(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Visitor]:
    """The application with the lines of the preset as its application.yml."""
    environment = needs_application(NAME).environment
    own = f"server:\n  address: localhost\n  port: {client.port}\n"
    (folder / "application.yml").write_text(own + client.lines[0], "utf-8")
    java, store = needs("java"), folder / "trust.p12"
    importing = ("-importcert", "-noprompt", "-file", str(op.ca_file), "-keystore", str(store))
    subprocess.run(
        (str(Path(java).with_name("keytool")), *importing, "-storepass", PASSWORD),
        check=True,
        capture_output=True,
    )
    trust = (f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}")
    classes = f"{environment / 'classes'}:{environment / 'dependency'}/*"
    argv = (java, *trust, "-cp", classes, "test.Application")
    async with serving(op, argv, folder, client.port):
        yield Visitor(op)


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """Spring knows her name, e-mail address and groups, until she logs out."""
    client = AddedClient.of_preset(provider, NAME)
    async with spring(provider, client, tmp_path) as visitor:
        known = visitor.visit(client.url).json()
        assert known["user"] == PERSON.username
        assert is_person(known)

        asked = visitor.visit(f"{client.url}/logout")
        token = re.search(r'name="_csrf"[^>]* value="([^"]+)"', asked.text)
        assert token
        visitor.visit(f"{client.url}/logout", {"_csrf": token[1]})
        again = visitor.session.get(client.url, allow_redirects=False)
        assert again.headers["Location"] == f"{client.url}/oauth2/authorization/ostiary"


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Spring lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with spring(provider, client, tmp_path) as visitor:
        assert visitor.visit(client.url).url.startswith(f"{client.url}/login?error")
    assert await client.refusal(provider) == "invalid_client"
