"""Clients that nobody registered: their client_id is the URL of their metadata."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.authorization.client_documents.documents import OF_HOST
from services.authorization.wiring.known_clients import KNOWN_CLIENTS
from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.server.resources import WATCH
from shared.store import ClientFilter
from tests.authorization import (
    is_consent,
    is_error_page,
    is_login,
    serve_authorization,
)
from tests.client_documents import Documents
from tests.document_host import REDIRECT_URI
from tests.planted import planted
from tests.planted.client_documents import (
    any_client_id_will_do,
    any_document_is_approved,
    changes_need_no_consent,
    documents_may_promise_secrets,
    documents_name_any_address,
    documents_speak_for_others,
    every_host_is_listed,
    every_process_fetches,
    failures_are_cached,
    fetches_are_not_limited,
    localhost_has_one_port,
    methods_are_taken_as_written,
    no_last_copy_is_kept,
    nothing_is_narrowed,
    pages_believe_documents,
    rows_are_made_at_first_sight,
    rows_outlive_their_grants,
    swapped_documents_pass,
    withdrawn_redirect_uris_redeem,
)
from tests.service.test_resources import an_api

KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def _with(documents: Documents, **settings: Any) -> Any:
    """The same service with other settings."""
    changed = documents.service.settings.model_copy(update=settings)
    return serve_authorization(changed, documents.service.world)


@planted(any_client_id_will_do)
@pytest.mark.point("CI1", "CI8")
@pytest.mark.parametrize(
    "client_id",
    [
        "https://10.0.0.1/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/client.json",
        "https://127.0.0.1:6379/client.json",
        "https://user@app.example.org/client.json",
        "https://app.example.org/a/../client.json",
        "https://app.example.org/a/%2e%2e/client.json",
        "https://app.example.org/client.json#x",
        "https://app.example.org",
        "https://app.example.org:22/client.json",
        "http://app.example.org/client.json",
    ],
)
async def test_a_client_id_that_leads_astray_is_not_fetched(documents: Documents, client_id: str) -> None:
    """No request is made: not to private addresses, and not to what is written otherwise than it is read."""
    seen = len(documents.host.seen)
    page = await documents.ask(client_id)
    assert is_error_page(page)
    assert "names a document" not in page.text
    assert len(documents.host.seen) == seen


@planted(documents_speak_for_others)
@pytest.mark.point("CI3")
async def test_a_document_speaks_for_its_own_url_alone(documents: Documents) -> None:
    """Another host's name in a document, or another spelling of its own, is another client."""
    host = documents.host
    for named in ("https://claude.ai/oauth/mcp-oauth-client-metadata", host.url()):
        client_id = host.url()
        described = {"client_id": named, "redirect_uris": [REDIRECT_URI]}
        host.answer(client_id, orjson.dumps(described))
        page = await documents.ask(client_id)
        assert is_error_page(page)
        assert "its client_id is not the URL" in page.text


@planted(documents_may_promise_secrets, documents_name_any_address)
@pytest.mark.point("CI2", "CI4", "CI8")
async def test_what_is_no_document_is_refused(documents: Documents) -> None:
    """Another status, a redirect, markup, too much, secrets, private keys: an error page, with the reason."""
    host = documents.host
    url = host.url()
    host.publish(url)
    good = host.answers[url.removeprefix(host.origin)][0]
    private = {**KEY, "d": "x"}
    answers: list[tuple[bytes, int, dict[str, str]]] = [
        (good, 404, {}),
        (good, 302, {"Location": "/elsewhere"}),
        (good, 200, {"Content_Type": "text/html"}),
        (good[:-1] + b" " * 16_384 + b"}", 200, {}),
        (b"[]", 200, {}),
    ]
    for number, (body, status, headers) in enumerate(answers):
        url = host.url()
        host.answer(url, body, status, **headers)
        assert is_error_page(await documents.ask(url)), number
    for members in (
        {"client_secret": "x" * 40},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [private]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://10.0.0.1/jwks"},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": None},
    ):
        assert is_error_page(await documents.ask(host.publish(**members))), members


JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523 §2.1, which this server does not have
SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "a web application that lists a grant of its own": (
        {
            "grant_types": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ]
        },
        REDIRECT_URI,
    ),
    "a command line whose redirect URIs have no port": (
        {
            "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
            "response_types": ["code"],
        },
        "http://localhost:51234/callback",
    ),
    "an editor whose port is taken": (
        {
            "redirect_uris": ["http://127.0.0.1:33418/", "https://editor.example.org/redirect"],
            "application_type": "native",
            "grant_types": [
                "authorization_code",
                "refresh_token",
                DEVICE_CODE,
            ],
        },
        "http://127.0.0.1:40123/",
    ),
    "a client that says little": (
        {"grant_types": None, "token_endpoint_auth_method": None, "client_name": None},
        REDIRECT_URI,
    ),
    "a client with unknown members and an odd redirect URI": (
        {
            "x_unknown": {"a": 1},
            "logo_uri": "javascript:x",
            "redirect_uris": [REDIRECT_URI, "http://app.example.org/"],
        },
        REDIRECT_URI,
    ),
}


@planted(nothing_is_narrowed, localhost_has_one_port)
@pytest.mark.point("CI5", "CI7")
async def test_documents_are_read_liberally(documents: Documents) -> None:
    """In the shapes that clients publish: unknown values are narrowed away, loopback ports are free."""
    for name, (members, redirect_uri) in SHAPES.items():
        client_id = documents.host.publish(**members)
        code = await documents.code(client_id, redirect_uri=redirect_uri, scope="openid offline_access")
        answer = await documents.redeem(client_id, code, redirect_uri=redirect_uri)
        assert answer.status == 200, (name, await answer.text())
    elsewhere = await documents.ask(client_id, redirect_uri="https://evil.example.org/callback")
    assert is_error_page(elsewhere)


@planted(methods_are_taken_as_written)
@pytest.mark.point("CI6")
async def test_the_strongest_method_on_offer_is_the_method(documents: Documents) -> None:
    """RP Metadata Choices: a client that offers `none` and `private_key_jwt` is held to the latter."""
    client_id = documents.host.publish(
        token_endpoint_auth_method="none",
        token_endpoint_auth_methods_supported=["none", "private_key_jwt"],
        jwks={"keys": [KEY]},
    )
    refused = await documents.redeem(client_id, await documents.code(client_id))
    assert (refused.status, (await refused.json())["error"]) == (401, "invalid_client")


@planted(failures_are_cached)
@pytest.mark.point("CI9")
async def test_failures_are_not_cached_and_copies_are(documents: Documents) -> None:
    """A document that is wrong and then right; one that is right is fetched once, by its Cache-Control."""
    host, described = documents.host, documents.service.app[KNOWN_CLIENTS].described
    client_id = host.url()
    assert is_error_page(await documents.ask(client_id))
    assert is_error_page(await documents.ask(client_id))
    assert host.fetches(client_id) == 1  # the fetcher backs off
    host.publish(client_id)
    described._fetcher._breaker._failed.clear()  # type: ignore[attr-defined]  # the back-off is over
    assert is_login(await documents.ask(client_id))
    assert is_login(await documents.ask(client_id))
    assert host.fetches(client_id) == 2


@planted(no_last_copy_is_kept)
@pytest.mark.point("CI9")
async def test_the_last_good_copy_serves_those_who_use_the_client(documents: Documents) -> None:
    """A client with grants goes on while its document is away; one that nobody uses does not."""
    host = documents.host
    used, unused = host.publish(), host.publish()
    assert (await documents.redeem(used, await documents.code(used))).status == 200
    assert is_login(await documents.ask(unused))
    for client_id in (used, unused):
        await documents.age(client_id)
        host.answer(client_id, b"no", 503)
    assert is_login(await documents.ask(used))
    assert is_error_page(await documents.ask(unused))


@planted(changes_need_no_consent)
@pytest.mark.point("CI10")
async def test_a_changed_document_is_a_new_question(documents: Documents) -> None:
    """Users of a confidential client are not asked again, until its document changes."""
    host = documents.host
    members: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY]}}
    client_id = host.publish(**members)
    browser, page = await documents.consent_page(client_id)
    assert (await browser.decide(page)).is_at_client
    assert (await documents.ask(client_id, browser)).is_at_client
    host.publish(client_id, **members, redirect_uris=[REDIRECT_URI, "https://other.example.org/cb"])
    await documents.age(client_id)
    again = await documents.ask(client_id, browser)
    assert is_consent(again)
    stored = await documents.stored(client_id)
    assert stored is not None
    assert "https://other.example.org/cb" in stored.redirect_uris
    assert (await browser.decide(again)).is_at_client
    assert (await documents.ask(client_id, browser)).is_at_client


@planted(swapped_documents_pass)
@pytest.mark.point("CI10")
async def test_a_document_that_is_swapped_before_the_decision_gets_nothing(documents: Documents) -> None:
    """The user agreed to what the page showed."""
    client_id = documents.host.publish()
    browser, page = await documents.consent_page(client_id)
    documents.host.publish(
        client_id, client_name="Another", redirect_uris=[REDIRECT_URI, "https://evil.example.org/"]
    )
    await documents.age(client_id)
    answer = await browser.decide(page)
    assert not answer.is_at_client
    assert await documents.stored(client_id) is None


@planted(withdrawn_redirect_uris_redeem)
@pytest.mark.point("CI10")
async def test_a_code_for_a_withdrawn_redirect_uri_is_dead(documents: Documents) -> None:
    """The document takes it back between consent and token."""
    host = documents.host
    client_id = host.publish()
    code = await documents.code(client_id)
    host.publish(client_id, redirect_uris=["https://app.example.org/new"])
    await documents.age(client_id)
    assert is_login(await documents.ask(client_id, redirect_uri="https://app.example.org/new"))
    await documents.tokens.http.app[WATCH].poll()
    refused = await documents.redeem(client_id, code)
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_grant")


@planted(pages_believe_documents)
@pytest.mark.point("CI11")
async def test_the_consent_page_shows_the_host_first(documents: Documents) -> None:
    """The name is the client's own word; nobody knows which program listens on the device."""
    web_client = documents.host.publish(client_name="Bank of Ada")
    _, page = await documents.consent_page(web_client)
    shown = documents.host.authority.replace(".", "<wbr>.")
    host, name = f'<bdi class="name host">{shown}</bdi>', "Bank of Ada"
    assert page.text.index(host) < page.text.index(f'It calls itself <bdi class="name">{name}')
    assert "app.example.org" in page.text
    assert "Nobody here has registered this application." in page.text
    native = documents.host.publish(redirect_uris=["http://localhost/callback"])
    _, page = await documents.consent_page(native, redirect_uri="http://localhost:3000/callback")
    assert "any program on this device could pretend to be it" in page.text


@planted(every_host_is_listed)
@pytest.mark.point("CI14")
async def test_a_list_names_the_hosts_and_urls_that_count(documents: Documents) -> None:
    """A URL, a host, or every host below one; others are not even fetched."""
    host, client_id = documents.host, documents.host.publish()
    lists = (((client_id,), True), (("localhost",), True), (("*.localhost",), False), ((), False))
    for listed, is_listed in lists:
        async with _with(documents, client_id_metadata="list", client_id_metadata_list=listed) as service:
            page = await Documents(service, documents.tokens, host).ask(client_id)
            assert is_login(page) is is_listed, listed
            assert is_error_page(page) is not is_listed


@planted(any_document_is_approved)
@pytest.mark.point("CI14")
async def test_an_operator_approves_the_first_use(documents: Documents) -> None:
    """Where the policy is `ask`; and where it is `off` there are no such clients."""
    client_id = documents.host.publish()
    async with _with(documents, client_id_metadata="ask") as service:
        asking = Documents(service, documents.tokens, documents.host)
        assert is_error_page(await asking.ask(client_id))
        assert documents.host.fetches(client_id) == 0
        assert await service.world.stores.client_documents.approve(client_id)
        assert is_login(await asking.ask(client_id))
        assert await service.world.stores.client_documents.withdraw(client_id)
        assert is_error_page(await asking.ask(client_id))
    async with _with(documents, client_id_metadata="off") as service:
        assert is_error_page(await Documents(service, documents.tokens, documents.host).ask(client_id))


@planted(every_process_fetches)
@pytest.mark.point("CI15")
async def test_one_process_fetches_for_all(documents: Documents) -> None:
    """Many requests at once, in two processes: one fetch."""
    client_id = documents.host.publish()
    async with _with(documents) as other:
        here, there = documents, Documents(other, documents.tokens, documents.host)
        pages = await asyncio.gather(*(each.ask(client_id) for each in (here, there) * 4))
    assert all(map(is_login, pages))
    assert documents.host.fetches(client_id) == 1


@planted(fetches_are_not_limited)
@pytest.mark.point("CI15")
async def test_a_flood_of_fresh_urls_is_slowed_down(documents: Documents) -> None:
    """So many new documents of one host a minute; a client that is in use is not concerned."""
    used = documents.host.publish()
    assert (await documents.redeem(used, await documents.code(used))).status == 200
    async with _with(documents, rate_limits=True) as service:
        flooded = Documents(service, documents.tokens, documents.host)
        pages = [await flooded.ask(documents.host.publish()) for _ in range(2 * OF_HOST.most + 1)]
        assert {page.status for page in pages} == {200, 429}
        await documents.age(used)
        assert is_login(await flooded.ask(used))


@planted(rows_are_made_at_first_sight)
@pytest.mark.point("CI12", "CI16")
async def test_a_row_is_made_with_the_first_consent(documents: Documents) -> None:
    """Not before; the lists do not show it, and tokens for an API carry the URL, also after a refresh."""
    reader = await documents.service.client()
    api = await an_api(documents.service, introspection_clients=(reader.client_id,))
    await documents.tokens.http.app[WATCH].poll()
    client_id = documents.host.publish()
    browser, page = await documents.consent_page(
        client_id, scope="openid offline_access read", resource=api.resource
    )
    assert await documents.stored(client_id) is None
    code = (await browser.decide(page)).answer["code"]
    assert await documents.stored(client_id) is not None
    stores = documents.service.world.stores
    text = client_id.rpartition("/")[0]
    assert not await stores.clients.list(None, 10, ClientFilter(text=text))
    assert await stores.clients.list(None, 10, ClientFilter(text=text, is_document=True))
    answer = await (await documents.redeem(client_id, code, resource=api.resource)).json()
    public = Client(client_id=client_id, token_endpoint_auth_method="none")
    for _ in range(2):
        answer = await (await documents.tokens.refresh(public, answer["refresh_token"])).json()
        assert answer["scope"] == "openid offline_access read"
        described = await documents.tokens.introspect(reader, answer["access_token"])
        assert (described["client_id"], described["aud"]) == (client_id, [api.resource])


@planted(rows_outlive_their_grants)
@pytest.mark.point("CI12")
async def test_the_row_leaves_with_the_last_grant(documents: Documents) -> None:
    """Not while a grant lives, nor before a code that is on its way can be redeemed."""
    used, left = documents.host.publish(), documents.host.publish()
    for client_id in (used, left):
        code = await documents.code(client_id, scope="openid offline_access")
        assert (await documents.redeem(client_id, code)).status == 200
    world = documents.service.world
    assert not {used, left} & set(await world.stores.client_documents.expire(timedelta(hours=1)))
    await world.database.row(
        "UPDATE grants SET revoked_at = now() WHERE client_id = $1 RETURNING grant_id", left
    )
    expired = set(await world.stores.client_documents.expire(timedelta(0)))
    assert left in expired
    assert used not in expired
    assert await documents.stored(left) is None
    await documents.service.app[WATCH].poll()
    again = await documents.redeem(left, await documents.code(left))
    assert again.status == 200, await again.text()
