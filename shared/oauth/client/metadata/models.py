"""The pydantic models of client metadata, generated from the declaration in `record`. Pure.

They validate each member by itself and provide the schemas of the administration API.
"""

from dataclasses import MISSING, fields
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from shared.oauth.client.metadata.declaration import Member, Setter
from shared.oauth.client.metadata.kinds import Name
from shared.oauth.client.metadata.members import MEMBERS
from shared.oauth.client.record import Client

_STRICT = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)
_FIELDS = {field.name: field for field in fields(Client)}


def _type(name: str) -> Any:
    kind, declared = MEMBERS[name].kind, _FIELDS[name]
    return kind.json | None if declared.default is None and kind.if_none is None else kind.json


def _default(name: str) -> Any:
    """The member's default as a pydantic field; the schema omits defaults that depend on other members."""
    member, declared = MEMBERS[name], _FIELDS[name]
    description = _description(member)
    if member.default_text or member.set_by is Setter.SERVER:
        return Field(default_factory=lambda: None, description=description)
    if declared.default_factory is not MISSING:
        return Field(declared.default_factory(), description=description)
    value = None if declared.default is None else member.kind.to_json(declared.default)
    return Field(value, description=description)


def _description(member: Member) -> str:
    """The description of a member, and of a default that depends on other members."""
    notes = [f"default: {member.default_text}"] if member.default_text else []
    if member.if_public is not None:
        notes.append(f"default for a public client: {str(member.if_public).lower()}")
    return "; ".join((member.about, *notes))


def _model(name: str, setter: Setter) -> type[BaseModel]:
    """A pydantic model of the members that *setter* may set."""
    members: dict[str, Any] = {
        member.name or field: (_type(field), _default(field))
        for field, member in MEMBERS.items()
        if member.set_by is setter
    }
    return create_model(name, __config__=_STRICT, **members)


StandardMetadata = _model("StandardMetadata", Setter.ANYONE)
OperatorsMetadata = _model("OperatorsMetadata", Setter.OPERATORS)
ReadOnlyMetadata = _model("ReadOnlyMetadata", Setter.SERVER)


class ChosenCredentials(BaseModel):
    """Credentials that an operator may choose; otherwise the server generates them."""

    model_config = _STRICT

    client_id: Annotated[Name | None, Field(description="generated where it is absent")] = None
    client_secret: Annotated[Name | None, Field(description="generated where it is absent and needed")] = None
