"""The bodies of requests about users and groups. Pure."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.model import Json
from shared.oauth.errors import InvalidRequest
from shared.oauth.supported import GROUPS, MEMBERSHIPS, ROLES

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class UserMembers(BaseModel):
    """The members of a user that may be set. Without `groups` and `roles`, these stay as they are."""

    model_config = _STRICT

    username: str
    claims: Annotated[dict[str, Any], Field(description="OpenID standard claims, and any others")] = {}
    groups: Annotated[
        list[str] | None, Field(description="the names of the user's only groups; missing groups are added")
    ] = None
    roles: Annotated[
        list[str] | None,
        Field(description="the names of the only roles of the user by themselves; missing roles are added"),
    ] = None

    def all_claims(self) -> Json:
        """The claims, with the groups and roles among them. Raises InvalidRequest."""
        for name in MEMBERSHIPS:
            if name in self.claims:
                raise InvalidRequest(f"claims.{name}: {name} are a member of the user")
        memberships = {GROUPS: self.groups, ROLES: self.roles}
        return {**self.claims, **{name: names for name, names in memberships.items() if names is not None}}


_Temporary = Annotated[
    bool, Field(description="whether the user has to choose another password when they sign in with this one")
]


class NewUserRequest(UserMembers):
    """The body that creates a user. Without a password, nobody can sign in with one."""

    password: Annotated[str | None, Field(repr=False)] = None
    is_temporary: _Temporary = True


class UserReplacement(UserMembers):
    """The body that replaces a user: what the server sets may have the values that were read."""

    sub: str | None = None
    is_disabled: bool | None = None
    recovery_codes: int | None = None
    held_until: str | None = None
    created_at: str | None = None
    effective_groups: list[str] | None = None
    effective_roles: list[str] | None = None

    def check_unchanged(self, current: Json) -> None:
        """Raises InvalidRequest: a member that the server sets has another value than in *current*."""
        for name in ("sub", "is_disabled", "created_at"):
            if getattr(self, name) not in (None, current[name]):
                raise InvalidRequest(f"{name}: it cannot be changed here")


class PasswordRequest(BaseModel):
    """The body that sets a password. Without one, a password is generated."""

    model_config = _STRICT

    password: Annotated[str | None, Field(repr=False)] = None
    is_temporary: _Temporary = True


_Scopes = Annotated[list[str], Field(description="the administration scopes of its members")]
_Required = Annotated[bool, Field(description="whether its members sign in with a second factor")]


class NewGroupRequest(BaseModel):
    """The body that creates a group."""

    model_config = _STRICT

    name: str
    scopes: _Scopes = []
    requires_second_factor: _Required = False


class GroupReplacement(BaseModel):
    """The body that replaces a group: what the server sets may have the values that were read."""

    model_config = _STRICT

    name: str
    scopes: _Scopes = []
    effective_scopes: list[str] | None = None
    groups: list[str] | None = None
    parents: list[str] | None = None
    requires_second_factor: _Required = False
    member_count: int | None = None
    effective_member_count: int | None = None
    created_at: str | None = None


class NewRoleRequest(BaseModel):
    """The body that creates a role."""

    model_config = _STRICT

    name: str


class RoleReplacement(BaseModel):
    """The body that replaces a role: what the server sets may have the values that were read."""

    model_config = _STRICT

    name: str
    groups: list[str] | None = None
    user_count: int | None = None
    effective_user_count: int | None = None
    created_at: str | None = None
