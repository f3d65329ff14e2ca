"""The parts that schemas of bodies consist of."""

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
TIME: Schema = {**STRING, "format": "date-time"}


def properties(*models: type[BaseModel]) -> Schema:
    """The properties of models that validate bodies."""
    return {
        name: schema for model in models for name, schema in model.model_json_schema()["properties"].items()
    }


def object_of(members: Schema, *required: str) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def list_of(name: str, schema: str) -> Schema:
    """A page of a list."""
    return object_of(
        {
            name: {"type": "array", "items": reference(schema)},
            "next_cursor": {**STRING, "description": "absent on the last page"},
        },
        name,
    )


def error_schema(**members: Schema) -> Schema:
    """An error (RFC 6750 §3.1) with further members."""
    return object_of({"error": STRING, "error_description": STRING, **members}, "error")


def reference(name: str) -> Schema:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
