"""The templates of the pages."""

from pathlib import Path

import aiohttp_jinja2
from aiohttp import web
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from shared.browser.pages.security import https, link
from shared.browser.pages.views.client import visible

FOLDER = Path(__file__).parent / "templates"


class _CompiledTemplates(BytecodeCache):
    """What has been compiled in this process."""

    def __init__(self) -> None:
        self._by_key: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bytecode := self._by_key.get(bucket.key):
            bucket.bytecode_from_string(bytecode)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._by_key[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _CompiledTemplates()


def templates(app: web.Application) -> Environment:
    """All of them, for *app*; compiled once in a process, which takes a quarter of a second.

    A broken one raises.
    """
    environment = aiohttp_jinja2.setup(
        app,
        loader=FileSystemLoader(FOLDER),
        bytecode_cache=_COMPILED,
        autoescape=True,
        default_helpers=False,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["https"] = https
    environment.filters |= {"https": https, "link": link, "visible": visible}
    for name in environment.list_templates():
        environment.get_template(name)
    return environment
