"""A process that serves: the application, dispatch, HTTP, workers, logs, metrics and health.

Requests come through aiohttp's low-level `web.Server`, by public names only. Dispatch, prepared response
heads and the request log are our own code. An own connection layer saved about 10 µs a request, but needed
private names of aiohttp and repeated bugs that aiohttp had already fixed.

`/readyz` composes named checks. A process is not ready if its keys, its clock, its issuer or its periodic
work are in doubt, so that a load balancer removes it before it gives wrong answers. An unreachable Redis
does not count: refresh, userinfo and introspection work without it.
"""
