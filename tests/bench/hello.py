"""What a request costs at the least: aiohttp on uvloop, ready bytes. Usage: hello.py SOCKET"""

import sys

import uvloop
from aiohttp import web


async def hello(_: web.Request) -> web.Response:
    return web.Response(body=b'{"hello":"world"}', content_type="application/json")


app = web.Application()
app.router.add_get("/hello", hello)
web.run_app(app, path=sys.argv[1], access_log=None, print=None, loop=uvloop.new_event_loop())
