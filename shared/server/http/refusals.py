"""Error responses for requests that reach no handler: as exceptions, and as bytes for the wire.

The connection closes after each of the latter.
"""

from aiohttp import HttpVersion11, web
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import LineTooLong

from shared.oauth.errors import InvalidRequest
from shared.web.answers import error_answer, json_answer, wire
from shared.web.request import MAX_TARGET


class TargetTooLong(InvalidRequest):
    status = 414


class HeaderFieldsTooLarge(InvalidRequest):
    status = 431  # RFC 6585 §5

    def __init__(self) -> None:
        super().__init__("the header fields are larger than 32 KiB; deleting this site's cookies may help")


def _reason(error: HttpProcessingError) -> InvalidRequest:
    match error:
        case LineTooLong(args=(_, limit, *_)) if limit == MAX_TARGET:
            return TargetTooLong(f"the request target is longer than {MAX_TARGET // 1024} KiB")
        case LineTooLong():
            return HeaderFieldsTooLarge()
    return InvalidRequest("this is not a well-formed HTTP/1.1 request")


def _last(response: web.Response) -> bytes:
    return wire(response, b"", HttpVersion11, is_kept=False, is_head=False)


def malformed(error: HttpProcessingError) -> bytes:
    """The response to a request that is not HTTP/1.1, or exceeds a limit."""
    return _last(error_answer(_reason(error)))


def defect() -> bytes:
    """The response to a request whose handling failed with an uncaught exception."""
    return _last(json_answer({"error": "server_error"}, status=500))
