"""The endpoints of users: the functions of `ostiary user` over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web

from services.accounts.administration.bodies import NewUserRequest, PasswordRequest, UserReplacement
from services.accounts.administration.listing import USER_FILTERS, read_user_filter, user_page
from shared.administration.bodies import described, options
from shared.administration.guard import Caller
from shared.administration.paging import read_page_request
from shared.browser.notices import Notices
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.live.randomness import new_password
from shared.model import User
from shared.oauth.errors import TemporarilyUnavailable
from shared.oauth.resource.own import WRITE_GROUPS
from shared.operations.recovery import check_not_held, recovery_state, shown_recovery
from shared.operations.rights import check_group_rights, check_user_rights
from shared.operations.user_rules.passwords import check_password
from shared.operations.users import NoSuchUser, add_user, get_by_id, replace_user, shown
from shared.paths import ADMIN_USER
from shared.store import Groups, NewMail, RecoveryLinks, UserCredentials, Users
from shared.web.answers import json_answer
from shared.web.form import query
from shared.web.headers import NO_STORE, SAFE
from shared.web.preconditions import CHANGED, PreconditionFailed, check_if_match, etag


@dataclass(frozen=True, slots=True)
class UserAdministration:
    """The collaborators of the endpoints."""

    users: Users
    groups: Groups
    credentials: UserCredentials
    links: RecoveryLinks
    passwords: Passwords
    notices: Notices

    async def of_path(self, request: web.Request) -> User:
        """The user of the path. Raises NoSuchUser."""
        return await get_by_id(self.users, user_id_of(request))

    async def of_version(self, request: web.Request, *, is_required: bool = False) -> User:
        """The user of the path, in the version that If-Match names.

        Raises NoSuchUser, PreconditionFailed, PreconditionRequired, InvalidRequest.
        """
        user = await self.of_path(request)
        check_if_match(request.headers.get("If-Match"), user.claims_version, is_required=is_required)
        return user

    async def to_change(self, request: web.Request, caller: Caller, *, is_required: bool = False) -> User:
        """As `of_version`, for a caller who has every right of the user. Raises BeyondRights, too."""
        user = await self.of_version(request, is_required=is_required)
        await check_user_rights(self.groups, user.user_id, caller.author)
        return user

    async def check_not_held(self, caller: Caller) -> None:
        """Check that the caller is no administrator whose account is on hold. Raises AccountOnHold."""
        if caller.user_id is not None:
            await check_not_held(self.links, caller.user_id)

    async def recovery(self, user: User) -> Mapping[str, Any]:
        """What follows from recoveries."""
        return await recovery_state(self.links, self.credentials, user.user_id)

    def about_address(self, request: web.Request, user: User, address: Any) -> Sequence[NewMail]:
        """What tells the user of another *address*."""
        if not isinstance(address, str) or not address or address == user.claims.get("email"):
            return ()
        return self.notices.about(request, user, "address_changed", address=address)

    async def hash(self, password: str) -> str:
        """Raises TemporarilyUnavailable."""
        try:
            return await self.passwords.hash(password)
        except PasswordQueueFull as full:
            raise TemporarilyUnavailable("too many users are signing in", detail=str(full)) from None


USER_ADMINISTRATION = web.AppKey("USER_ADMINISTRATION", UserAdministration)


def user_id_of(request: web.Request) -> UUID:
    """The user that the path names. Raises NoSuchUser."""
    sub = request.match_info["sub"]
    try:
        return UUID(sub)
    except ValueError:
        raise NoSuchUser(sub) from None


def done() -> web.Response:
    """An answer without content."""
    return web.Response(status=204, headers={**SAFE, **NO_STORE})


def _answer(user: User, recovery: Mapping[str, Any], status: int = 200, **headers: str) -> web.Response:
    """One user. What follows from recoveries is no part of the version."""
    fields = {"ETag": etag(user.claims_version), **headers}
    return json_answer({**shown(user), **recovery}, status=status, headers=fields)


async def list_users(request: web.Request, _: Caller) -> web.Response:
    parameters, users = query(request), request.app[USER_ADMINISTRATION].users
    requested = read_page_request(parameters, USER_FILTERS)
    if (name := parameters.one("name")) is not None:
        user = await users.find_by_name(name)
        return json_answer(user_page([user] if user else [], requested.limit))
    listed = await users.list(requested.after, requested.limit + 1, read_user_filter(parameters))
    return json_answer(user_page(listed, requested.limit))


async def create_user(request: web.Request, caller: Caller) -> web.Response:
    administration, body = request.app[USER_ADMINISTRATION], await described(request, NewUserRequest)
    await administration.check_not_held(caller)
    if body.groups or body.roles:
        caller.check(WRITE_GROUPS)
    if body.groups:
        await check_group_rights(administration.groups, body.groups, caller.author)
    claims, password_hash = body.all_claims(), None
    if body.password is not None:
        check_password(body.password, body.username, claims)
        password_hash = await administration.hash(body.password)
    user = await add_user(
        administration.users,
        body.username,
        claims,
        password_hash,
        is_temporary=body.is_temporary,
        by=caller.author,
    )
    return _answer(user, shown_recovery(), 201, Location=ADMIN_USER.of(sub=str(user.user_id)))


async def read_user(request: web.Request, _: Caller) -> web.Response:
    administration = request.app[USER_ADMINISTRATION]
    user = await administration.of_path(request)
    return _answer(user, await administration.recovery(user))


async def change_user(request: web.Request, caller: Caller) -> web.Response:
    """An omitted claim is removed. Whoever leaves a group or loses a role is signed out everywhere."""
    administration = request.app[USER_ADMINISTRATION]
    await administration.check_not_held(caller)
    user = await administration.to_change(request, caller, is_required=True)
    body = await described(request, UserReplacement)
    body.check_unchanged(shown(user))
    if body.roles is not None and body.roles != list(user.direct_roles or ()):
        caller.check(WRITE_GROUPS)
    if body.groups is not None and body.groups != list(user.direct_groups or ()):
        caller.check(WRITE_GROUPS)
        await check_group_rights(administration.groups, body.groups, caller.author)
    claims, mails = body.all_claims(), administration.about_address(request, user, body.claims.get("email"))
    recovery = await administration.recovery(user)  # nothing can fail once the change is committed
    replaced = await replace_user(
        administration.users, user, body.username, claims, by=caller.author, mails=mails
    )
    return _answer(replaced, recovery)


async def delete_user(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[USER_ADMINISTRATION]
    user = await administration.to_change(request, caller)
    if not await administration.users.delete(user.user_id, version=user.claims_version, by=caller.author):
        raise PreconditionFailed(CHANGED)
    return done()


async def disable_user(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of the user ends."""
    administration = request.app[USER_ADMINISTRATION]
    user = await administration.to_change(request, caller)
    await administration.users.disable(user.user_id, by=caller.author)
    return await read_user(request, caller)


async def enable_user(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[USER_ADMINISTRATION]
    user = await administration.to_change(request, caller)
    await administration.users.enable(user.user_id, by=caller.author)
    return await read_user(request, caller)


async def set_user_password(request: web.Request, caller: Caller) -> web.Response:
    """A generated password is shown once. Every session and grant of the user ends."""
    administration = request.app[USER_ADMINISTRATION]
    await administration.check_not_held(caller)
    user, body = await administration.to_change(request, caller), await options(request, PasswordRequest)
    password = new_password() if body.password is None else body.password
    check_password(password, user.username, user.claims)
    password_hash = await administration.hash(password)
    mails = administration.notices.about(request, user, "password_changed")
    await administration.credentials.set_password(
        user.user_id, password_hash, is_temporary=body.is_temporary, by=caller.author, mails=mails
    )
    shown_once = {"password": password} if body.password is None else {}
    return json_answer({"sub": str(user.user_id), **shown_once})


async def log_user_out(request: web.Request, caller: Caller) -> web.Response:
    """Every session and grant of the user ends."""
    administration = request.app[USER_ADMINISTRATION]
    user = await administration.of_path(request)
    await administration.users.end_all(user.user_id, by=caller.author)
    return done()
