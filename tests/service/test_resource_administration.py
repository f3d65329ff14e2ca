"""The administration of protected resources over HTTP, each response checked against its description."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from openapi_schema_validator import OAS31Validator

from services.client_registry.administration.openapi.document import document
from shared.paths import ADMIN_RESOURCE, ADMIN_RESOURCES
from tests.administration import AdministrationApi
from tests.deployment import ISSUER
from tests.planted import planted
from tests.planted.resources import identifiers_can_be_changed, replacements_need_no_version

DESCRIBED = {
    "scopes": {"notes:read": {"en": "Read your notes", "fr": "Lire vos notes"}, "notes:write": {}},
    "access_token_format": "jwt",
    "access_token_lifetime": 300,
    "access_token_signing_alg": "ES256",
    "introspection_clients": ["notes"],
    "acr_values": ["urn:ostiary:acr:mfa"],
    "clients": ["editor"],
}


def a_description(**members: Any) -> dict[str, Any]:
    """The description of a new resource."""
    name = f"Notes {uuid4().hex[:8]}"
    return {"resource": f"https://{name[-8:]}.example.org/mcp", "name": name, **members}


@planted(identifiers_can_be_changed)
@pytest.mark.point("RI12")
async def test_a_resource_lives_its_life(admin: AdministrationApi) -> None:
    """A resource is created, read, replaced and deleted, each with an audit row and its author."""
    described = a_description(**DESCRIBED)
    created = await admin.ask("POST", ADMIN_RESOURCES.path, described)
    assert (created.status, created.body, created.etag) == (201, described, '"1"')
    path = created.headers["Location"]
    for each in (path, ADMIN_RESOURCE.for_resource(described["resource"])):
        read = await admin.ask("GET", each)
        assert (read.status, read.body, read.etag) == (200, described, '"1"')
    moved = {**described, "resource": "https://elsewhere.example.org/"}
    assert (await admin.ask("PUT", path, moved, **{"If-Match": "*"})).status == 400
    fewer = {"name": described["name"], "scopes": ["x"]}
    replaced = await admin.ask("PUT", path, fewer, **{"If-Match": '"1"'})
    assert (replaced.status, replaced.etag) == (200, '"2"')
    assert (replaced.body["scopes"], replaced.body["clients"]) == ({"x": {}}, "any")
    assert (await admin.ask("DELETE", path, **{"If-Match": '"1"'})).status == 412
    assert (await admin.ask("DELETE", path, **{"If-Match": '"2"'})).status == 204
    for method in ("GET", "PUT", "DELETE"):
        assert (await admin.ask(method, path, described, **{"If-Match": "*"})).status == 404
    rows = [row async for row in admin.world.audit_rows() if row["event"].startswith("resource_")]
    detail = {"resource": described["resource"], "by": admin.client_id}
    assert [(row["event"], row["detail"]) for row in rows] == [
        (event, detail) for event in ("resource_added", "resource_changed", "resource_deleted")
    ]


@planted(replacements_need_no_version)
@pytest.mark.point("RI12")
async def test_of_replacements_at_once_one_is_kept(admin: AdministrationApi) -> None:
    """428 without If-Match, and of concurrent replacements one is stored and the others get 412."""
    described = a_description()
    path = (await admin.ask("POST", ADMIN_RESOURCES.path, described)).headers["Location"]
    assert (await admin.ask("PUT", path, described)).status == 428
    answers = await asyncio.gather(
        *(
            admin.ask("PUT", path, {**described, "scopes": [str(each)]}, **{"If-Match": '"1"'})
            for each in range(5)
        )
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412]


async def test_names_and_identifiers_are_taken_once(admin: AdministrationApi) -> None:
    """A name is unique ignoring case, and an identifier in its canonical form; names may need quoting."""
    described = a_description(name="A/B? 100 % ü")
    created = await admin.ask("POST", ADMIN_RESOURCES.path, described)
    assert (await admin.ask("GET", created.headers["Location"])).body == created.body
    upper = described["resource"].replace("https", "HTTPS")
    for other in (a_description(name="a/b? 100 % Ü"), {**a_description(), "resource": upper}):
        assert (await admin.ask("POST", ADMIN_RESOURCES.path, other)).status == 409
    second = (await admin.ask("POST", ADMIN_RESOURCES.path, a_description())).headers["Location"]
    assert (await admin.ask("PUT", second, {"name": described["name"]}, **{"If-Match": "*"})).status == 409


async def test_every_fault_is_told_with_its_path(admin: AdministrationApi) -> None:
    """Every fault of a description is reported with its path, including unknown and unsupported members."""
    faulty = a_description(
        scopes={"openid": {}}, acr_values=["urn:nowhere"], dpop_bound_access_tokens_required=True, owner="me"
    )
    answer = await admin.ask("POST", ADMIN_RESOURCES.path, faulty)
    assert (answer.status, answer.body["error"]) == (400, "invalid_client_metadata")
    assert {fault["path"] for fault in answer.body["faults"]} == {
        "scopes.openid",
        "acr_values",
        "dpop_bound_access_tokens_required",
        "owner",
    }


async def test_resources_are_listed_page_by_page(admin: AdministrationApi) -> None:
    """Each is listed once, by name, whatever its case."""
    names = ["alpha", "Beta", "delta", "Gamma", "ZETA"]
    for name in reversed(names):
        await admin.ask("POST", ADMIN_RESOURCES.path, a_description(name=name))
    seen, query = [], "?limit=2"
    while query:
        answer = await admin.ask("GET", ADMIN_RESOURCES.path + query)
        assert len(answer.body["resources"]) <= 2
        seen += [resource["name"] for resource in answer.body["resources"]]
        cursor = answer.body.get("next_cursor")
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert seen == sorted(names, key=str.lower)
    for query in ("limit=0", "cursor=%21", "cursor=AA", "text=x", "limit=1&limit=2"):
        assert (await admin.ask("GET", f"{ADMIN_RESOURCES.path}?{query}")).status == 400


def test_the_description_of_a_body_knows_every_member_that_is_read() -> None:
    """The description forbids unknown members, as the server does."""
    validator = OAS31Validator(
        {
            **document(ISSUER)["components"]["schemas"]["Resource"],
            "components": document(ISSUER)["components"],
        }
    )
    assert validator.is_valid(a_description(**DESCRIBED))
    for bad in ({"owner": "x"}, {"scopes": 1}, {"access_token_lifetime": 0}, {"clients": "some"}):
        assert not validator.is_valid(a_description(**bad))
