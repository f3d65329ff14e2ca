"""A process that serves: application, dispatch, HTTP, workers, logs, metrics and health.

HTTP is served by aiohttp's low-level `web.Server`, through public names only. Dispatch, prepared response
heads and the request log are our own code. An own connection layer saved about 10 µs a request, but it needed
private names of aiohttp and repeated bugs that aiohttp had already fixed.

`/readyz` combines named checks. A process is not ready if its keys, clock, issuer or background work are in
doubt, so that a load balancer stops using it before it gives wrong answers. An unreachable Redis does not
count: refresh, userinfo and introspection work without it.
"""
