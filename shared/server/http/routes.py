"""Routes to the endpoints of a service, which are made when its process starts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import web

from shared.paths import Path
from shared.server.app import Handler

EndpointsT = TypeVar("EndpointsT")


@dataclass(frozen=True, slots=True)
class Route(Generic[EndpointsT]):
    """The handlers of a path, chosen among the endpoints of a service.

    `acts`: GET begins or ends something there, so HEAD, which must be harmless, is refused.
    """

    path: Path
    get: Callable[[EndpointsT], Handler] | None = None
    post: Callable[[EndpointsT], Handler] | None = None
    acts: bool = False


def add_routes(
    app: web.Application,
    endpoints: web.AppKey[EndpointsT],
    routes: Iterable[Route[EndpointsT]],
    handling: Callable[[Handler], Handler] = lambda handler: handler,
) -> None:
    """Add the routes. *handling*: what each handler is wrapped in, to answer the service's own exceptions."""

    def handler(choose: Callable[[EndpointsT], Handler]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await choose(request.app[endpoints])(request)

        return handling(handle)

    for route in routes:
        if route.get:
            app.router.add_get(route.path.path, handler(route.get), allow_head=not route.acts)
        if route.post:
            app.router.add_post(route.path.path, handler(route.post))
