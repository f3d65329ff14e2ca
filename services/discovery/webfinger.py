"""WebFinger names the OpenID provider of a resource (RFC 7033, OpenID Connect Discovery 1.0 §2). Pure.

The answer is the same for every account, so that it does not reveal which accounts exist.
"""

from typing import Any
from urllib.parse import urlsplit

from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters

ISSUER_RELATION = "http://openid.net/specs/connect/1.0/issuer"
MAX_RESOURCE = 2000


def resource_of(parameters: Parameters) -> str:
    """The parameter `resource`, which comes once (RFC 7033 §4.2). Raises InvalidRequest."""
    resource = parameters.require("resource")
    if len(resource) > MAX_RESOURCE or ":" not in resource or not resource.isprintable() or " " in resource:
        raise InvalidRequest("resource is not a URI")
    return resource


def is_known(resource: str, origin: str) -> bool:
    """Whether this provider answers for *resource*: any account, and web addresses of its own *origin*.

    A request for an account of another domain comes by a redirect of that domain's server (Discovery 1.0
    §2.1).
    """
    scheme, _, rest = resource.partition(":")
    if scheme.lower() == "acct":
        user, _, host = rest.rpartition("@")
        return bool(user and host)
    try:
        url = urlsplit(resource)
    except ValueError:
        return False
    return f"{url.scheme}://{url.netloc}".lower() == origin


def descriptor(resource: str, issuer: str, relations: tuple[str, ...]) -> dict[str, Any]:
    """The JRD (RFC 7033 §4.4). *relations*: the requested ones; none means all (§4.3)."""
    is_wanted = not relations or ISSUER_RELATION in relations
    links = [{"rel": ISSUER_RELATION, "href": issuer}] if is_wanted else []
    return {"subject": resource, "links": links}
