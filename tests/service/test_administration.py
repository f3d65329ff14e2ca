"""The administration of clients over HTTP, with every response checked against its description."""

import asyncio
import json
from typing import Any

from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from services.client_registry.administration.openapi.document import document
from shared.paths import ADMIN_CLIENTS, ADMIN_INVITATIONS, ADMIN_OPENAPI
from tests.administration import DOCUMENTS, AdministrationApi
from tests.deployment import ISSUER
from tests.planted import planted
from tests.planted.examination import every_scope_is_known
from tests.registry import URI


async def test_a_client_lives_its_life(admin: AdministrationApi) -> None:
    """A client is created, read, replaced, rotated and deleted, each with an audit row and its author."""
    created = await admin.ask("POST", ADMIN_CLIENTS.path, {**URI, "skip_consent": True})
    assert (created.status, created.body["skip_consent"], created.etag) == (201, True, '"1"')
    client_id, path = created.body["client_id"], created.headers["Location"]
    assert len(created.body["client_secret"]) >= 43
    read = await admin.ask("GET", path)
    assert (read.status, read.etag) == (200, '"1"')
    assert "client_secret" not in read.body
    replaced = await admin.ask("PUT", path, {**read.body, "client_name": "New"}, **{"If-Match": read.etag})
    assert (replaced.status, replaced.etag, replaced.body["client_name"]) == (200, '"2"', "New")
    assert "client_secret" not in replaced.body
    rotated = await admin.ask("POST", f"{path}/secret", {"overlap": 3600})
    assert rotated.body["client_secret"] != created.body["client_secret"]
    assert rotated.body["previous_client_secret_expires_at"] > 0
    assert (await admin.ask("DELETE", path, **{"If-Match": '"3"'})).status == 204
    assert (await admin.ask("GET", path)).status == 404
    rows = [row async for row in admin.world.audit_rows() if row["client_id"] == client_id]
    assert [(row["event"], row["detail"]) for row in rows] == [
        (event, {"by": admin.client_id})
        for event in ("client_added", "client_changed", "client_secret_rotated", "client_deleted")
    ]


@planted(every_scope_is_known)
async def test_what_is_seldom_meant_is_accepted_with_a_warning(admin: AdministrationApi) -> None:
    """Answers to changes have the member; reading has none, so what was read can be written back."""
    created = await admin.ask(
        "POST", ADMIN_CLIENTS.path, {**URI, "scope": "openid offline_access files:read"}
    )
    assert created.status == 201
    assert [warning["path"] for warning in created.body["warnings"]] == ["scope", "scope"]
    path = created.headers["Location"]
    read = (await admin.ask("GET", path)).body
    assert "warnings" not in read
    replaced = await admin.ask("PUT", path, {**read, "scope": "openid files:read"}, **{"If-Match": "*"})
    (warning,) = replaced.body["warnings"]
    assert "files:read" in warning["warning"]
    replaced = await admin.ask("PUT", path, {**read, "scope": "openid"}, **{"If-Match": "*"})
    assert "warnings" not in replaced.body


async def test_a_replacement_says_what_it_replaces(admin: AdministrationApi) -> None:
    """428 without If-Match, 412 for another version or a weak tag, and nothing changes."""
    created = await admin.ask("POST", ADMIN_CLIENTS.path, URI)
    path = created.headers["Location"]
    for header, status in (
        (None, 428),
        ('"2"', 412),
        ('W/"1"', 412),
        ('"2", "3"', 412),
        ("1", 400),
        ('"1', 400),
        ('"2", "1"', 200),
        ("*", 200),
        ('"1"', 412),
    ):
        answer = await admin.ask("PUT", path, URI, **({"If-Match": header} if header else {}))
        assert (header, answer.status) == (header, status)
    assert (await admin.ask("GET", path)).etag == '"3"'
    for method, resource in (("DELETE", path), ("POST", f"{path}/secret")):
        assert (await admin.ask(method, resource, **{"If-Match": '"1"'})).status == 412
    assert (await admin.ask("DELETE", path)).status == 204


async def test_of_replacements_at_once_one_is_kept(admin: AdministrationApi) -> None:
    """Of concurrent replacements, one is stored and the others get 412."""
    path = (await admin.ask("POST", ADMIN_CLIENTS.path, URI)).headers["Location"]
    answers = await asyncio.gather(
        *(
            admin.ask("PUT", path, {**URI, "client_name": str(each)}, **{"If-Match": '"1"'})
            for each in range(5)
        )
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412]


async def test_every_fault_is_told_with_its_path(admin: AdministrationApi) -> None:
    """Every fault is reported with its path, including unknown members."""
    bad = {"redirect_uris": ["https://ok.test/", "http://evil/"], "clientname": "x", "tos_uri": "ftp://x"}
    answer = await admin.ask("POST", ADMIN_CLIENTS.path, bad)
    assert (answer.status, answer.body["error"]) == (400, "invalid_redirect_uri")
    assert {fault["path"] for fault in answer.body["faults"]} == {"clientname", "redirect_uris.1", "tos_uri"}


async def test_what_the_server_sets_may_be_sent_back_but_not_changed(admin: AdministrationApi) -> None:
    """A replacement of a client that was read needs no editing."""
    created = await admin.ask("POST", ADMIN_CLIENTS.path, URI)
    path = created.headers["Location"]
    read = (await admin.ask("GET", path)).body
    assert (await admin.ask("PUT", path, read, **{"If-Match": "*"})).status == 200
    for name, value in (("client_id", "x"), ("client_id_issued_at", 1), ("is_disabled", True)):
        answer = await admin.ask("PUT", path, {**read, name: value}, **{"If-Match": "*"})
        assert (answer.status, answer.body["faults"][0]["path"]) == (400, name)


async def test_clients_are_listed_page_by_page_and_filtered(admin: AdministrationApi) -> None:
    """Each client is listed once, despite concurrent changes; filters apply to all pages."""
    for each in range(5):
        await admin.world.client(client_id=f"app-{each}", is_dynamically_registered=each == 3)
    seen, query = [], "?limit=2&text=APP"
    while query:
        answer = await admin.ask("GET", ADMIN_CLIENTS.path + query)
        assert len(answer.body["clients"]) <= 2
        seen += [client["client_id"] for client in answer.body["clients"]]
        cursor = answer.body.get("next_cursor")
        query = f"?limit=2&text=APP&cursor={cursor}" if cursor else ""
    assert seen == [f"app-{each}" for each in range(5)]
    only = await admin.ask("GET", f"{ADMIN_CLIENTS.path}?is_dynamically_registered=true&is_disabled=false")
    assert [client["client_id"] for client in only.body["clients"]] == ["app-3"]


QUERIES = (
    "limit=0", "limit=501", "limit=x", "limit=%C2%B2", "cursor=%21", "cursor=_w", "is_disabled=yes", "page=2",
    "limit=1&limit=2", "text=" + "x" * 201, "text=%00", "text=%FF",
)  # fmt: skip


async def test_a_query_that_is_not_described_is_refused(admin: AdministrationApi) -> None:
    """Unknown filters are refused, as ignoring them would show too much."""
    for query in QUERIES:
        answer = await admin.ask("GET", f"{ADMIN_CLIENTS.path}?{query}")
        assert (query, answer.status, answer.body["error"]) == (query, 400, "invalid_request")


BODIES = (
    b"", b"[]", b"{", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": 1, "a": 2}', b'{"a": "\\u0000"}', b"\xff",
    b"\xef\xbb\xbf{}", b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
)  # fmt: skip


async def test_a_body_that_cannot_be_read_is_refused(admin: AdministrationApi) -> None:
    """Unreadable and long bodies, and other content types, are refused."""
    path = (await admin.ask("POST", ADMIN_CLIENTS.path, URI)).headers["Location"]
    for method, resource in (("POST", ADMIN_CLIENTS.path), ("PUT", path)):
        for body in BODIES:
            answer = await admin.ask(method, resource, body, **{"If-Match": "*"})
            assert (body, answer.status, answer.body["error"]) == (body, 400, "invalid_request")
        plain = {"Content-Type": "text/plain", "If-Match": "*"}
        assert (await admin.ask(method, resource, URI, **plain)).status == 400
        assert (await admin.ask(method, resource, b" " * 70_000, **{"If-Match": "*"})).status == 413
    assert (await admin.ask("GET", path)).etag == '"1"'


async def test_a_rotation_that_cannot_be_is_refused(admin: AdministrationApi) -> None:
    """Invalid rotations are refused, also for a client without a secret."""
    client = await admin.world.client()
    public = await admin.world.public_client()
    bad: list[dict[str, Any]] = [{"overlap": -1}, {"overlap": 10**9}, {"overlap": "7d"}, {"until": 1}]
    for asked in bad:
        assert (await admin.ask("POST", f"{ADMIN_CLIENTS}/{client.client_id}/secret", asked)).status == 400
    assert (await admin.ask("POST", f"{ADMIN_CLIENTS}/{public.client_id}/secret")).status == 409
    assert (await admin.ask("POST", f"{ADMIN_CLIENTS}/nobody/secret")).status == 404


async def test_a_client_id_is_taken_once(admin: AdministrationApi) -> None:
    """A client_id is unique, and may need quoting in a path."""
    members = {**URI, "client_id": "https://rp.test/a?b"}
    created = await admin.ask("POST", ADMIN_CLIENTS.path, members)
    assert (created.status, created.body["client_id"]) == (201, "https://rp.test/a?b")
    assert (await admin.ask("POST", ADMIN_CLIENTS.path, members)).status == 409
    assert (await admin.ask("GET", created.headers["Location"])).body["client_id"] == "https://rp.test/a?b"


async def test_an_invitation_registers_as_many_clients_as_it_says(admin: AdministrationApi) -> None:
    """RFC 7591 §1.2: an initial access token."""
    invited = await admin.ask("POST", ADMIN_INVITATIONS.path, {"uses": 2, "expires_in": 60})
    assert invited.status == 201
    token = invited.body["initial_access_token"]
    assert [await admin.register(token) for _ in range(3)] == [201, 201, 401]
    assert (await admin.ask("POST", ADMIN_INVITATIONS.path)).body["uses"] == 1
    assert (await admin.ask("POST", ADMIN_INVITATIONS.path, {"uses": 0})).status == 400
    rows = [row async for row in admin.world.audit_rows()]
    made = [row["detail"] for row in rows if row["event"] == "initial_access_token_added"]
    assert [detail["by"] for detail in made] == [admin.client_id] * 2


async def test_no_answer_and_no_audit_row_holds_a_secret_again(admin: AdministrationApi) -> None:
    """A secret is shown once, and stored as a hash."""
    created = await admin.ask("POST", ADMIN_CLIENTS.path, {**URI, "client_secret": "a-chosen-secret" * 4})
    path, secret = created.headers["Location"], created.body["client_secret"]
    answers = [
        await admin.ask("GET", path),
        await admin.ask("GET", ADMIN_CLIENTS.path),
        await admin.ask("PUT", path, {**URI, "client_secret": 7}, **{"If-Match": "*"}),
        await admin.ask("PUT", path, {**URI, "a": secret}, **{"If-Match": "*"}),
    ]
    rows = [str(row) async for row in admin.world.audit_rows()]
    stored = await admin.world.database.rows("SELECT clients::text AS row FROM clients")
    told = [str(answer.body) for answer in answers] + rows + [row["row"] for row in stored]
    assert not any(secret in text for text in told)


# The description


async def test_the_description_is_served_and_valid(admin: AdministrationApi) -> None:
    """OpenAPI 3.1, open to who reaches the listener; it names the deployment's own token endpoint."""
    answer = await admin.http.get(ADMIN_OPENAPI.path)
    served = await answer.json()
    assert answer.status == 200
    assert served == json.loads(json.dumps(document(ISSUER)))
    validate(served)
    flow = served["components"]["securitySchemes"]["access_token"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == f"{ISSUER}/oauth2/token"


async def test_every_route_is_described_and_nothing_else(admin: AdministrationApi) -> None:
    """The descriptions of both services have exactly their routes."""
    described = {
        (method.upper(), path)
        for each in DOCUMENTS
        for path, operations in each["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert described == admin.inventory()


def test_the_description_of_a_body_knows_every_member_that_is_read() -> None:
    """The description forbids unknown members, as the server does."""
    schema = document(ISSUER)["components"]["schemas"]["ClientRequest"]
    validator = OAS31Validator(schema)
    assert validator.is_valid({**URI, "skip_consent": True, "client_id": "x", "access_token_lifetime": 60})
    for bad in ({"clientname": "x"}, {"redirect_uris": "x"}, {"access_token_lifetime": 0}):
        assert not validator.is_valid({**URI, **bad})
