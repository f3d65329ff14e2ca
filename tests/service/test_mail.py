"""Mails: real conversations with a mail server, refusals and outages, and the folder of `ostiary run`."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient
from prometheus_client import REGISTRY

from services.authorization.pages.sent_mails import sent_mails
from services.worker.app import mount
from services.worker.mail import transport
from services.worker.mail.delivery import MailDelivery, transport_of
from services.worker.mail.message import Messages
from services.worker.state_metrics import state_metrics
from shared.browser.pages.catalogue import Catalogue
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from shared.live import clock
from shared.model import User
from shared.operations.doctor.mail import mail_finding
from shared.paths import SENT_MAILS, START
from shared.server.app import application
from shared.server.metric_table import MAILS_AGE_SECONDS, MAILS_WAITING
from shared.store import Expiring, MailContents, NewMail
from tests.authorization import LOCAL_ISSUER, serve_authorization
from tests.builders import World
from tests.certificates import a_certificate
from tests.deployment import settings_for
from tests.planted import planted
from tests.planted.mail import forgets_who_knows_the_secret, sends_again_and_again, tries_without_end
from tests.served import Served
from tests.smtp_server import mail_host

DAY = timedelta(days=1)
VALUES = {"username": "ada", "link": f"{LOCAL_ISSUER}/account"}
HANG_GUARD = 30


@pytest.fixture(autouse=True)
async def _empty(world: World) -> None:
    await world.database.row("TRUNCATE mails")


def sending(url: str, module_database_url: str, module_redis_url: str, **more: str) -> Settings:
    """Settings with a mail server."""
    return settings_for(
        module_database_url, module_redis_url, smtp_url=url, mail_from="Example <id@example.org>", **more
    )


def delivery_of(world: World, settings: Settings) -> MailDelivery:
    """The worker's."""
    server = settings.mail_server
    assert server
    messages = Messages.load(settings.issuer, settings.sender, settings.ui_locales)
    return MailDelivery(world.stores.mails, messages, transport_of(settings, server))


@pytest.fixture
def urls(module_database_url: str, module_redis_url: str) -> tuple[str, str]:
    return module_database_url, module_redis_url


async def queue(
    world: World,
    recipient: str = "ada@example.org",
    locale: str = "en",
    values: Mapping[str, str] = VALUES,
    lifetime: timedelta = DAY,
) -> User:
    """A user with a mail that waits."""
    user = await world.user()
    contents = MailContents(recipient=recipient, locale=locale, values=values)
    mail = NewMail(kind="password_changed", contents=contents, lifetime=lifetime)
    await world.stores.credentials.set_password(user.user_id, "a hash", mails=(mail,))
    return user


async def waiting(world: World) -> Sequence[tuple[UUID, int, timedelta]]:
    """User, tries, and the time until the next try of each mail that waits."""
    rows = await world.database.rows("SELECT user_id, tries, due_at - now() AS wait FROM mails")
    return [(row["user_id"], row["tries"], row["wait"]) for row in rows]


async def test_a_mail_arrives(world: World, urls: tuple[str, str]) -> None:
    """In plain text and HTML, with the fields that machines respect, and only once."""
    async with mail_host() as host:
        settings = sending(f"smtp://127.0.0.1:{host.port}", *urls)
        delivery = delivery_of(world, settings)
        await queue(world)
        assert await delivery.deliver(clock.now()) == 1
        received = host.received.get_nowait()
        assert await delivery.deliver(clock.now()) == 0
    assert (received.sender, received.recipients) == ("id@example.org", ("ada@example.org",))
    message = received.message
    assert message["From"] == "Example <id@example.org>"
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == "Your password has been changed"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith(f"@{urlsplit(settings.issuer).hostname}>")
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain
    assert html
    for body in (plain.get_content(), html.get_content()):
        assert VALUES["link"] in body
        assert "ada" in body
    assert await waiting(world) == []


@pytest.mark.parametrize("locale", UI_LOCALES)
async def test_a_mail_speaks_the_language_of_its_reader(
    world: World, urls: tuple[str, str], locale: str, tmp_path: Path
) -> None:
    """In every language, and values in HTML are escaped."""
    settings = sending(tmp_path.as_uri(), *urls)
    await queue(world, locale=locale, values={**VALUES, "username": "<b>&ada"})
    await delivery_of(world, settings).deliver(clock.now())
    (file,) = tmp_path.glob("*.eml")
    assert file.stat().st_mode & 0o777 == 0o600
    (shown,) = sent_mails(settings_for(*urls, issuer=LOCAL_ISSUER, smtp_url=tmp_path.as_uri()))
    subject = Catalogue.load(locale).texts["mail.password_changed.subject"]
    assert shown.subject == subject
    text = "\n".join(shown.lines)
    assert "<b>&ada" in text
    assert VALUES["link"] in shown.lines
    assert b"<b>&ada" not in file.read_bytes().partition(b"text/html")[2]


@pytest.mark.parametrize("is_trusted", [True, False])
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_the_connection_is_encrypted(
    world: World, urls: tuple[str, str], tmp_path: Path, scheme: str, is_trusted: bool
) -> None:
    """With a certificate that is checked; the password is sent only then."""
    files, context = a_certificate("localhost", tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    ca = {"fetch_ca_file": str(files.ca_file)} if is_trusted else {}
    async with mail_host(context, is_implicit=scheme == "smtps") as host:
        login, option = ("us%40er:s%3Acret@", "?starttls=required") if scheme == "smtp" else ("", "")
        url = f"{scheme}://{login}localhost:{host.port}{option}"
        await queue(world)
        await delivery_of(world, sending(url, *urls, **ca)).deliver(clock.now())
        assert host.received.qsize() == is_trusted
        if login and is_trusted:
            received = host.received.get_nowait()
            assert (received.login, received.is_encrypted) == ("\0us@er\0s:cret", True)


async def test_no_password_and_no_mail_without_encryption(world: World, urls: tuple[str, str]) -> None:
    """If a server that must have STARTTLS does not offer it, the mail waits."""
    async with mail_host() as host:
        await queue(world)
        url = f"smtp://127.0.0.1:{host.port}?starttls=required"
        await delivery_of(world, sending(url, *urls)).deliver(clock.now())
        assert host.received.empty()
    assert len(await waiting(world)) == 1


@planted(sends_again_and_again)
@pytest.mark.parametrize(
    "answers", [{"RCPT": "550 no such user"}, {"DATA": "554 5.7.1 spam"}, {"RCPT": "553 bad address"}]
)
async def test_a_refused_mail_is_given_up(
    world: World, urls: tuple[str, str], answers: dict[str, str]
) -> None:
    """By a permanent answer about the recipient or the message, with an audit row."""
    before = await world.audited("mail_given_up")
    async with mail_host() as host:
        host.answers = answers
        await queue(world)
        await delivery_of(world, sending(f"smtp://127.0.0.1:{host.port}", *urls)).deliver(clock.now())
    assert await waiting(world) == []
    assert await world.audited("mail_given_up") == before + 1


@pytest.mark.parametrize(
    "answers",
    [{"CONNECT": "421 busy"}, {"RCPT": "450 later"}, {"DATA": "451 greylisted"}, {"MAIL": "530 who are you"}],
)
async def test_a_mail_that_may_be_accepted_later_waits(
    world: World, urls: tuple[str, str], answers: dict[str, str]
) -> None:
    """Temporary answers, and those about this server; the wait doubles."""
    async with mail_host() as host:
        host.answers = answers
        user = await queue(world)
        delivery = delivery_of(world, sending(f"smtp://127.0.0.1:{host.port}", *urls))
        for tries, seconds in ((1, 5), (2, 10)):
            await world.database.row("UPDATE mails SET due_at = now()")
            assert await delivery.deliver(clock.now()) == 1
            ((user_id, tried, wait),) = await waiting(world)
            assert (user_id, tried) == (user.user_id, tries)
            assert timedelta(seconds=seconds - 4) < wait <= timedelta(seconds=seconds)
        host.answers = {}
        await world.database.row("UPDATE mails SET due_at = now()")
        await delivery.deliver(clock.now())
        assert host.received.qsize() == 1


@planted(tries_without_end)
async def test_a_mail_that_nobody_needs_any_more_is_given_up(world: World, urls: tuple[str, str]) -> None:
    """One whose end would come before the next attempt."""
    async with mail_host() as host:
        host.answers = {"CONNECT": "421 busy"}
        await queue(world, lifetime=timedelta(seconds=4))
        await delivery_of(world, sending(f"smtp://127.0.0.1:{host.port}", *urls)).deliver(clock.now())
    assert await waiting(world) == []


async def test_a_silent_server_delays_nobody_for_long(
    world: World, urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole conversation has a limit."""
    monkeypatch.setattr(transport, "LIMIT", 0.2)
    async with mail_host() as host:
        host.is_silent = True
        await queue(world)
        await delivery_of(world, sending(f"smtp://127.0.0.1:{host.port}", *urls)).deliver(clock.now())
    assert len(await waiting(world)) == 1


@pytest.mark.parametrize(
    ("recipient", "values"),
    [
        ("ada@example.org\r\nBcc: eve@example.org", VALUES),
        ("ada@example.org", {**VALUES, "host": "x\r\nBcc: eve@example.org"}),
    ],
)
async def test_no_value_adds_a_header_field(
    world: World, urls: tuple[str, str], recipient: str, values: dict[str, str]
) -> None:
    """A mail with line breaks where none may be is not sent; in the body they are text."""
    async with mail_host() as host:
        await queue(world, recipient=recipient, values=values)
        await delivery_of(world, sending(f"smtp://127.0.0.1:{host.port}", *urls)).deliver(clock.now())
        received = [host.received.get_nowait() for _ in range(host.received.qsize())]
    assert all("Bcc" not in each.message for each in received)
    assert all(each.recipients == ("ada@example.org",) for each in received)
    assert await waiting(world) == []


@planted(forgets_who_knows_the_secret)
async def test_what_a_mail_says_is_encrypted_until_it_is_sent(world: World, urls: tuple[str, str]) -> None:
    """A copy of the database contains no link; what no key decrypts expires."""
    await queue(world)
    row = await world.database.row("SELECT mail_id, contents FROM mails")
    assert row
    assert b"oidc/account" not in row["contents"]
    assert b"ada" not in row["contents"]
    await world.database.row("UPDATE mails SET contents = contents || '\\x00'")
    assert await world.stores.mails.take(10, DAY, clock.now()) == []
    await world.database.row("UPDATE mails SET expires_at = now() - interval '8 days'")
    assert await world.stores.expiry.remove(Expiring.MAILS, timedelta(days=7), 10) == 1


async def test_a_running_worker_sends_by_itself(world: World, urls: tuple[str, str]) -> None:
    """Soon after it starts."""
    async with mail_host() as host:
        await queue(world)
        settings = sending(f"smtp://127.0.0.1:{host.port}", *urls)
        async with TestClient(Served(application(settings, mount))), asyncio.timeout(HANG_GUARD):
            await host.received.get()


async def test_waiting_mails_are_metrics(world: World, urls: tuple[str, str]) -> None:
    """Their number, and the age of the oldest."""
    work = state_metrics(
        world.stores.outbox,
        world.stores.mails,
        world.stores.sign_outs,
        world.stores.keys,
        settings_for(*urls),
    ).work
    shown = []
    for _ in range(2):
        await work()
        shown.append([REGISTRY.get_sample_value(each.name) for each in (MAILS_WAITING, MAILS_AGE_SECONDS)])
        await queue(world)
        await world.database.row("UPDATE mails SET created_at = now() - interval '1 hour'")
    (none, no_age), (waiting, age) = shown
    assert (none, no_age, waiting) == (0, 0, 1)
    assert age
    assert 3600 <= age < 3700


async def test_mails_are_shown_on_this_machine_alone(
    world: World, urls: tuple[str, str], tmp_path: Path
) -> None:
    """The start page leads to those in the folder. A public deployment, or one with a server, shows none."""
    folder = tmp_path.as_uri()
    await queue(world)
    await delivery_of(world, sending(folder, *urls)).deliver(clock.now())
    local = {"issuer": LOCAL_ISSUER, "root_aliases": "on"}
    async with serve_authorization(settings_for(*urls, **local, smtp_url=folder), world) as op:
        assert f'href="{SENT_MAILS}"' in (await op.browser().get(START.path)).text
        page = await op.browser().get(SENT_MAILS.path)
        assert (page.status, "Your password has been changed" in page.text) == (200, True)
        assert 'href="/oidc/account"' in page.text
    for settings in (
        settings_for(*urls, **local, smtp_url="smtp://127.0.0.1:9"),
        settings_for(*urls, issuer="https://id.test/oidc", root_aliases="on", smtp_url=folder),
    ):
        async with serve_authorization(settings, world) as op:
            assert SENT_MAILS.path not in (await op.browser().get(START.path)).text
            assert (await op.browser().get(SENT_MAILS.path)).status == 404


@pytest.mark.parametrize(
    ("answers", "expected"),
    [({}, "takes mails from id@example.org"), ({"CONNECT": "554 go away"}, "check OSTIARY_SMTP_URL")],
)
async def test_the_doctor_tries_the_mail_server(
    urls: tuple[str, str], answers: dict[str, str], expected: str
) -> None:
    """Without a mail; one that is not there is a fault, too."""
    async with mail_host() as host:
        host.answers = answers
        url = f"smtp://127.0.0.1:{host.port}"
        finding = await mail_finding(sending(url, *urls))
        assert (finding.is_good, expected in finding.sentence) == (not answers, True)
        assert host.received.empty()
    assert not (await mail_finding(sending(url, *urls))).is_good


async def test_the_doctor_tells_of_no_mail_server(urls: tuple[str, str], tmp_path: Path) -> None:
    """None, and a folder, are choices."""
    assert (await mail_finding(settings_for(*urls))).is_good
    assert str(tmp_path) in (await mail_finding(sending(tmp_path.as_uri(), *urls))).sentence


async def test_the_doctor_tells_of_a_wrong_password(urls: tuple[str, str], tmp_path: Path) -> None:
    """As of a certificate that nobody trusts."""
    files, context = a_certificate("localhost", tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    async with mail_host(context) as host:
        url = f"smtp://user:secret@localhost:{host.port}?starttls=required"
        trusting = sending(url, *urls, fetch_ca_file=str(files.ca_file))
        assert ", encrypted" in (await mail_finding(trusting)).sentence
        host.answers = {"AUTH": "535 wrong"}
        refused = await mail_finding(trusting)
        assert (refused.is_good, "535" in refused.sentence, "secret" in refused.sentence) == (
            False,
            True,
            False,
        )
        assert not (await mail_finding(sending(url, *urls))).is_good
