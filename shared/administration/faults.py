"""The faults of operations and stores as errors of the administration."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from shared.oauth.errors import InsufficientScope, InvalidClientMetadata, InvalidRequest, OAuthError
from shared.operations.clients import NoSecret, NoSuchClient
from shared.operations.grants import NoSuchGrant
from shared.operations.groups import BadGroup, NoSuchGroup
from shared.operations.protected_resources import NoSuchResource
from shared.operations.recovery import AccountOnHold, UserDisabled
from shared.operations.rights import BeyondRights
from shared.operations.roles import BadRole, NoSuchRole
from shared.operations.sessions import NoSuchSession
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.users import NoSuchUser
from shared.store import Full, Stale, Taken
from shared.web.answers import error_answer
from shared.web.bearer import bearer_error
from shared.web.preconditions import CHANGED, PreconditionFailed


class NotFound(OAuthError):
    error = "not_found"
    status = 404


class AccountHeld(OAuthError):
    """The administrator's own account was recovered just now."""

    error = "account_held"
    status = 403


class Conflict(OAuthError):
    """The request conflicts with the current state."""

    error = "conflict"
    status = 409


_ABSENT: dict[type[Exception], str] = {
    NoSuchClient: "client",
    NoSuchResource: "resource",
    NoSuchUser: "user",
    NoSuchGroup: "group",
    NoSuchRole: "role",
    NoSuchSession: "session",
    NoSuchGrant: "grant",
}


@contextmanager
def faults_as_errors() -> Iterator[None]:
    """Raise the faults of an endpoint as the errors that its caller gets."""
    try:
        yield
    except tuple(_ABSENT) as fault:
        raise NotFound(f"there is no such {_ABSENT[type(fault)]}") from None
    except BeyondRights as fault:
        description = "the record has, or would get, rights that the caller lacks"
        raise InsufficientScope(description, scope=str(fault)) from None
    except AccountOnHold as hold:
        description = f"the caller's account was recovered: it changes no user before {hold}"
        raise AccountHeld(description) from None
    except (BadUser, BadGroup, BadRole) as fault:
        raise InvalidRequest(str(fault)) from None
    except NoSecret:
        raise Conflict("the client authenticates without a client secret") from None
    except UserDisabled:
        raise Conflict("the user is disabled") from None
    except Taken:
        raise Conflict("the identifier or the name is taken") from None
    except Full:
        raise Conflict("there are as many as there can be") from None
    except Stale:
        raise PreconditionFailed(CHANGED) from None


def administration_error(
    request: web.Request, error: OAuthError, resource_metadata: str | None = None
) -> web.Response:
    """RFC 6750 §3; invalid metadata are listed one by one, each with its path."""
    if isinstance(error, InvalidClientMetadata):
        faults = [{"path": path, "fault": fault} for path, fault in error.faults]
        return error_answer(error, members={"faults": faults})
    return bearer_error(request, error, resource_metadata)
