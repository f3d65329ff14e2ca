"""The bodies of the administration's requests."""

from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from shared.codec.json_text import BadJson, parse_object
from shared.oauth.errors import InvalidRequest
from shared.web.form import body

JSON_TYPE = "application/json"

_Model = TypeVar("_Model", bound=BaseModel)


async def members(request: web.Request) -> dict[str, Any]:
    """The members of a body of JSON. Raises InvalidRequest."""
    if request.content_type != JSON_TYPE:
        raise InvalidRequest(f"the content type must be {JSON_TYPE}")
    try:
        return parse_object(await body(request))
    except BadJson as fault:
        raise InvalidRequest(f"the body is not accepted: {fault}") from None


async def described(request: web.Request, model: type[_Model]) -> _Model:
    """A body as *model* describes it. Raises InvalidRequest, which names the first fault."""
    return _validated(await members(request), model)


async def options(request: web.Request, model: type[_Model]) -> _Model:
    """As `described`, for a body that may be missing."""
    return _validated(await members(request) if request.can_read_body else {}, model)


def _validated(values: dict[str, Any], model: type[_Model]) -> _Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidRequest(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
