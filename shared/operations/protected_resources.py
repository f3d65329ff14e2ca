"""The operators' functions for protected resources, over ports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.model import Author, Json
from shared.oauth.errors import InvalidClientMetadata
from shared.oauth.resource.description import description, read_resource
from shared.oauth.resource.identifier import comparable
from shared.oauth.resource.record import ProtectedResource
from shared.process.operator_error import OperatorError
from shared.store import ProtectedResources


class NoSuchResource(OperatorError):
    """There is no resource with that name or identifier."""

    template = "There is no resource {}"


@dataclass(frozen=True, slots=True)
class ResourceRules:
    """The deployment's rules for resources."""

    issuer: str
    signing_algorithms: Sequence[str]

    def read(self, members: Json) -> ProtectedResource:
        """The resource that an operator describes. Raises InvalidClientMetadata."""
        return read_resource(members, self.signing_algorithms, self.issuer)


def shown(resource: ProtectedResource) -> dict[str, Any]:
    """A resource as operators see it."""
    return description(resource)


async def get(resources: ProtectedResources, name: str) -> ProtectedResource:
    """The resource with that name or identifier. Raises NoSuchResource."""
    if resource := await resources.find(name):
        return resource
    key = comparable(name)
    for resource in await resources.every():
        if resource.key == key:
            return resource
    raise NoSuchResource(name)


async def add_resource(
    resources: ProtectedResources, members: Json, rules: ResourceRules, *, by: Author | None = None
) -> ProtectedResource:
    """Register a resource. Raises InvalidClientMetadata, Taken, Full."""
    resource = rules.read(members)
    await resources.add(resource, by=by)
    return resource


async def replace_resource(
    resources: ProtectedResources,
    current: ProtectedResource,
    members: Json,
    rules: ResourceRules,
    *,
    by: Author | None = None,
) -> ProtectedResource:
    """Replace the description of *current*, whose identifier stays: grants name it.

    Raises InvalidClientMetadata, Taken, Stale.
    """
    resource = rules.read({"resource": current.resource, **members})
    if resource.resource != current.resource:
        fault = ("resource", "cannot be changed: add another resource")
        raise InvalidClientMetadata(" ".join(fault), faults=(fault,))
    await resources.replace(replace(resource, version=current.version), by=by)
    return replace(resource, version=current.version + 1, created_at=current.created_at)


async def update_resource(
    resources: ProtectedResources, name: str, changes: Json, rules: ResourceRules
) -> ProtectedResource:
    """Change the members in *changes*; null returns one to its default. Raises as above, NoSuchResource."""
    current = await get(resources, name)
    return await replace_resource(resources, current, {**description(current), **changes}, rules)


async def delete_resource(resources: ProtectedResources, name: str) -> None:
    """Delete a resource: no token is issued for it any more. Raises NoSuchResource."""
    if not await resources.delete(await get(resources, name)):
        raise NoSuchResource(name)


async def import_resources(
    resources: ProtectedResources, described: Iterable[Json], rules: ResourceRules, *, prune: bool
) -> list[dict[str, Any]]:
    """Add new resources and update the others, which are found by identifier. Returns the result for each.

    *prune*: delete those that are not described. Raises InvalidClientMetadata before anything is changed.
    Raises Taken, Full, Stale.
    """
    read = [rules.read(members) for members in described]
    existing = {resource.key: resource for resource in await resources.every()}
    rows = []
    for resource in read:
        current = existing.pop(resource.key, None)
        if current is None:
            await resources.add(resource)
        else:
            await resources.replace(replace(resource, resource=current.resource, version=current.version))
        rows.append({"resource": resource.resource, "result": "updated" if current else "added"})
    for resource in existing.values() if prune else ():
        await resources.delete(resource)
        rows.append({"resource": resource.resource, "result": "deleted"})
    return rows
