"""Planted defects of the release of groups and user names."""

from dataclasses import replace
from typing import Any

import pytest

from services.authorization.interaction import permission
from services.token.endpoints import introspection, userinfo
from services.token.grants import admission
from shared.model import Json, User
from shared.oauth import claims
from shared.oauth.resource.own import ADMINISTRATION_SCOPES
from shared.operations import clients as operations_of_clients
from shared.operations import groups as operations_of_groups
from shared.operations import rights
from shared.operations import roles as operations_of_roles
from shared.store import UserGroup
from shared.store.postgres import assigned_names, groups, nesting, sign_outs
from shared.store.postgres.transport.connection import Row

_attributes = claims.attributes
_deliverable = claims._deliverable


def _with_own_groups(user: User) -> Json:
    return {**_attributes(user), **({"groups": user.claims["groups"]} if "groups" in user.claims else {})}


def attributes_are_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the claim `groups` from an attribute of that name before the memberships."""
    monkeypatch.setattr(claims, "attributes", _with_own_groups)


def _without_empty_lists(name: str, value: object, *, is_mapped: bool) -> object:
    return _deliverable(name, value, is_mapped=is_mapped) or None


def attributes_are_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the claim `roles` from an attribute of that name before the roles."""
    monkeypatch.setattr(claims, "attributes", lambda user: {**_attributes(user), **user.claims})


def no_groups_are_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the claim out if a user has no groups."""
    monkeypatch.setattr(claims, "_deliverable", _without_empty_lists)


def groups_are_always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the groups of the user for every client."""
    monkeypatch.setattr(userinfo, "takes_memberships", lambda _: True)


def _named(_: Any, username: str | None, *__: Any) -> dict[str, Any]:
    return {"username": username} if username else {}


def everybody_sees_usernames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Release the user name of a pairwise subject."""
    monkeypatch.setattr(introspection, "username_member", _named)


def nobody_sees_usernames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never release a user name."""
    monkeypatch.setattr(introspection, "username_member", lambda *_: {})


def members_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the names of groups as they are typed."""
    for module in (assigned_names, groups):
        monkeypatch.setattr(module, "canonical", str)


async def _nothing(*_: Any) -> None:
    pass


def who_leaves_stays_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """End no session of a user who leaves a group."""
    for module in (assigned_names, sign_outs):
        monkeypatch.setattr(module, "end_sessions_of", _nothing)


def groups_are_nested_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nestings run side by side, each of which looks for a cycle without the others."""
    monkeypatch.setattr(nesting, "LOCK_NESTING", "SELECT")


def many_are_signed_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign out everybody in the transaction that takes a group or a role from them."""
    monkeypatch.setattr(sign_outs, "AT_ONCE", 1_000_000)
    monkeypatch.setattr(sign_outs, "_SOME", sign_outs._CONCERNED)


def many_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take users off the list before they are signed out, by a commit of its own."""

    async def sign_out(self: sign_outs.PostgresSignOuts, batch: int) -> int:
        users = [row["user_id"] for row in await self._database.rows(sign_outs._TAKE, batch)]
        async with self._database.transaction() as connection:
            await sign_outs._end_all(connection, users)
        return len(users)

    monkeypatch.setattr(sign_outs.PostgresSignOuts, "sign_out", sign_out)


def reads_what_it_has_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a new group after the commit, by a statement that may fail."""
    add = groups.PostgresGroups.add

    async def add_and_find(self: groups.PostgresGroups, name: str, *rest: Any, **more: Any) -> UserGroup:
        await add(self, name, *rest, **more)
        group = await self.find(name)
        assert group
        return group

    monkeypatch.setattr(groups.PostgresGroups, "add", add_and_find)


def who_joins_meanwhile_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for users who are joining a group whose members are signed out."""
    monkeypatch.setattr(sign_outs, "_LOCK_BELOW", "SELECT $1::uuid")


def rights_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let administrators give and change more rights than they have."""
    for module in (operations_of_groups, operations_of_roles, operations_of_clients, rights):
        monkeypatch.setattr(module, "check_rights", lambda *_: None)


def rights_of_groups_above_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the rights of a caller with the own scopes of a group alone."""
    read = groups._group

    def shallow(row: Row) -> UserGroup:
        group = read(row)
        return replace(group, effective_scopes=group.scopes)

    monkeypatch.setattr(groups, "_group", shallow)


def rights_outlive_memberships(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the scope of an administrator's access token for their rights."""

    async def every_right(*_: Any) -> frozenset[str]:
        return frozenset(ADMINISTRATION_SCOPES)

    monkeypatch.setattr(groups.PostgresGroups, "rights_of_user", every_right)


def everybody_is_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the groups that a client allows."""
    for module in (permission, admission):
        monkeypatch.setattr(module, "is_admitted", lambda *_: True)


def clients_get_every_right_they_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let users grant administration scopes that they do not have."""

    async def withheld(*_: object) -> frozenset[str]:
        return frozenset()

    monkeypatch.setattr(permission.Permissions, "withheld", withheld)
