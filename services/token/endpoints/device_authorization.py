"""The device authorization endpoint: RFC 8628 §3.1 and §3.2."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.token.grants.device_code import INTERVAL
from shared.config.settings import Settings
from shared.issuing.client_authentication import ClientAuthentication
from shared.live import clock
from shared.live.address_block import address_block
from shared.live.randomness import new_handle
from shared.live.resource_cache import ResourceCache
from shared.model import DeviceCode, Scope
from shared.oauth.client.record import Client
from shared.oauth.errors import TooManyRequests, UnauthorizedClient
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Detail, Reason
from shared.oauth.resource.target import registered_scope, requested_scope_at
from shared.oauth.scope import granted_scope, parse_scope
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind, digest
from shared.oauth.user_code import new_user_code
from shared.paths import DEVICE
from shared.store import Counters, DeviceCodes, Pace, Taken, Unavailable
from shared.web.answers import json_answer
from shared.web.client import note_client
from shared.web.form import authorization_header, form
from shared.web.forwarded import client_address

LIFETIME = timedelta(minutes=10)
MOST_PENDING = 1000  # pending device codes of one client
PACE = Pace(
    free=50,
    first_wait=timedelta(seconds=5),
    longest_wait=timedelta(minutes=1),
    forgotten_after=timedelta(minutes=10),
)
"""The limit on requests for one client from one address."""
_TRIES = 5  # to find a user code that is free


@dataclass(frozen=True, slots=True)
class DeviceAuthorizationEndpoint:
    """Collaborators of the device authorization endpoint."""

    authentication: ClientAuthentication
    device_codes: DeviceCodes
    counters: Counters
    resources: ResourceCache
    settings: Settings

    async def begin(
        self, client: Client, parameters: Parameters, address: str, now: datetime
    ) -> dict[str, Any]:
        """Issue a device code and a user code.

        Raises UnauthorizedClient, InvalidScope, InvalidTarget, Unavailable.
        Raises TooManyRequests if too many are pending.
        """
        if DEVICE_CODE not in client.grant_types:
            detail = Detail.of_value(Reason.GRANT_TYPE, DEVICE_CODE, client.grant_types)
            raise UnauthorizedClient("the client is not registered for this grant_type", detail=detail)
        requested = parameters.one("scope")
        identifiers = parameters.all("resource")
        registry = await self.resources.naming(identifiers)
        resources = registry.named(identifiers, client.client_id)
        registered = registered_scope(client, resources) if requested else client.scope
        allowed = granted_scope(parse_scope(requested) if requested else None, registered)
        scope = requested_scope_at(allowed, resources, is_named=requested is not None)
        await self._check_pace(client, address)
        device_code, user_code = await self._add(client, scope, tuple(each.key for each in resources), now)
        uri = DEVICE.at(self.settings.issuer)
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}?{urlencode({'user_code': user_code})}",
            "expires_in": int(LIFETIME.total_seconds()),
            "interval": int(INTERVAL.total_seconds()),
        }

    async def _check_pace(self, client: Client, address: str) -> None:
        if not self.settings.rate_limits:
            return
        key = f"{client.client_id} {address_block(address)}"
        if wait := await self.counters.attempt("device_authorization", key, PACE):
            raise TooManyRequests("too many requests from this address", wait)

    async def _add(
        self, client: Client, scope: Scope, resources: tuple[str, ...], now: datetime
    ) -> tuple[str, str]:
        device_code = new_handle(Kind.DEVICE_CODE)
        for _ in range(_TRIES):
            user_code = new_user_code(secrets.choice)
            code = DeviceCode(
                client_id=client.client_id,
                scope=scope,
                user_code=user_code,
                expires_at=now + LIFETIME,
                client_epoch=client.epoch,
                resources=resources,
            )
            try:
                has_room = await self.device_codes.add(digest(device_code), code, LIFETIME, MOST_PENDING)
            except Taken:
                continue
            if not has_room:
                raise TooManyRequests("too many device codes of this client are pending")
            return device_code, user_code
        raise Unavailable("every generated user code is taken")


DEVICE_AUTHORIZATION_ENDPOINT = web.AppKey("DEVICE_AUTHORIZATION_ENDPOINT", DeviceAuthorizationEndpoint)


async def device_authorization(request: web.Request) -> web.Response:
    endpoint, now, parameters = request.app[DEVICE_AUTHORIZATION_ENDPOINT], clock.now(), await form(request)
    address = partial(client_address, request)
    client = await endpoint.authentication.client(authorization_header(request), parameters, address, now)
    note_client(request, client)
    return json_answer(await endpoint.begin(client, parameters, client_address(request), now))
