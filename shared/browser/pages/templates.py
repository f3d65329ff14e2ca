"""The templates of the pages."""

import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from shared.browser.pages.security import https, link
from shared.browser.pages.views.client import visible

FOLDER = Path(__file__).parent / "templates"


OPTIONS: dict[str, Any] = {
    "autoescape": True,
    "undefined": StrictUndefined,
    "auto_reload": False,
    "trim_blocks": True,
    "lstrip_blocks": True,
}


class CompiledTemplates(FileSystemBytecodeCache):
    """What has been compiled, in this process and in a *folder*, if it may be written."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), "template-%s.cache")
        self._by_key: dict[str, bytes] = {}

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(f"{jinja2.__version__} {OPTIONS} {source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        if bytecode := self._by_key.get(bucket.key):
            bucket.bytecode_from_string(bytecode)
            return
        with suppress(OSError, EOFError, UnpicklingError):  # unreadable, or damaged
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._by_key[bucket.key] = bucket.bytecode_to_string()
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)


_COMPILED = CompiledTemplates(Path(cache_from_source(__file__)).parent)
"""Where Python keeps compiled modules."""


def templates(app: web.Application) -> Environment:
    """All of them, for *app*. Those that changed are compiled; all of them take a third of a second.

    A broken one raises.
    """
    environment = aiohttp_jinja2.setup(
        app,
        loader=FileSystemLoader(FOLDER),
        bytecode_cache=_COMPILED,
        default_helpers=False,
        **OPTIONS,
    )
    environment.tests["https"] = https
    environment.filters |= {"https": https, "link": link, "visible": visible}
    for name in environment.list_templates():
        environment.get_template(name)
    return environment
