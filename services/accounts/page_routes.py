"""The routes of pages that a signed-in user opens. What each of them needs first stands here, once.

That is a session, a fresh sign-in where the page is sensitive, and for a form the token of that session.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from services.accounts.endpoints import ENDPOINTS, AccountEndpoints
from services.accounts.visit.visit import AccountGone, Visit
from shared.oauth.parameters import Parameters
from shared.paths import Path
from shared.server.app import Handler


class AccountPage(Protocol):
    """A page of the account."""

    async def get(self, visit: Visit) -> web.Response:
        """Show the page."""
        ...


class AccountFormPage(AccountPage, Protocol):
    """A page whose forms are sent to its own path."""

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Do what the form says."""
        ...


@dataclass(frozen=True, slots=True)
class PageRoute:
    """A page without forms. `is_offered`: this deployment has it; otherwise its path is not found.

    `is_held`: it changes an address or a credential, and is closed to an administrator who is held.
    """

    path: Path
    page: Callable[[AccountEndpoints], AccountPage]
    is_sensitive: bool = False
    is_offered: bool = True
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class FormRoute(PageRoute):
    """A page with forms."""

    page: Callable[[AccountEndpoints], AccountFormPage]


def add_page_routes(app: web.Application, routes: Iterable[PageRoute]) -> None:
    """Add the routes. Needs ENDPOINTS."""
    for route in routes:
        app.router.add_get(route.path.path, _get(route) if route.is_offered else not_found)
        if isinstance(route, FormRoute):
            app.router.add_post(route.path.path, _post(route) if route.is_offered else not_found)


async def not_found(_: web.Request) -> web.Response:
    """Answer for a page that this deployment does not have. Raises HTTPNotFound."""
    raise web.HTTPNotFound


def _get(route: PageRoute) -> Handler:
    async def get(request: web.Request) -> web.Response:
        endpoints = request.app[ENDPOINTS]
        visit = await endpoints.access.open(request, route.path, is_sensitive=route.is_sensitive)
        if isinstance(visit, web.Response):
            return visit
        if route.is_held and (closed := await endpoints.holds.closed(visit)):
            return closed
        try:
            return await route.page(endpoints).get(visit)
        except AccountGone:
            return endpoints.access.sign_in(request, route.path)

    return get


def _post(route: FormRoute) -> Handler:
    async def post(request: web.Request) -> web.Response:
        endpoints = request.app[ENDPOINTS]
        submitted = await endpoints.access.submitted(request, route.path, is_sensitive=route.is_sensitive)
        if isinstance(submitted, web.Response):
            return submitted
        visit, fields = submitted
        if route.is_held and (closed := await endpoints.holds.closed(visit)):
            return closed
        try:
            return await route.page(endpoints).post(visit, fields)
        except AccountGone:
            return endpoints.access.sign_in(request, route.path)

    return post
