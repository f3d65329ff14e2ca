"""The style sheet, scripts and images of the pages: prepared bytes, with their version in the URI."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from shared.browser.pages.look import IMAGE_SUFFIXES, Look
from shared.paths import STATIC

FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    **{suffix: media_type for media_type, suffix in IMAGE_SUFFIXES.items()},
}
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""An image may be opened as a page, and an SVG could contain a script."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Every static file by its exact name, and their common version: 16 hex digits of their SHA-256."""

    version: str
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, look: Look, folder: Path = FOLDER) -> "Assets":
        """Read *folder* once. Files of types that are not in CONTENT_TYPES are not served."""
        stored = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in CONTENT_TYPES}
        files = look.assets(stored)
        digest = sha256()
        for name, body in sorted(files.items()):
            digest.update(b"%d %s %d " % (len(name), name.encode(), len(body)) + body)
        return cls(digest.hexdigest()[:16], files)

    def uri(self, file: str) -> str:
        """The path of *file*. Raises KeyError if there is no such file."""
        self.files[file]
        return STATIC.path.format(version=self.version, file=file)

    def response(self, version: str, file: str, if_none_match: str | None) -> web.Response:
        """The file, cacheable forever (RFC 8246), or 304 if the browser has it. Raises HTTPNotFound."""
        if version != self.version or (body := self.files.get(file)) is None:
            raise web.HTTPNotFound
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Cross-Origin-Resource-Policy": "same-origin",
            "ETag": f'"{self.version}"',
            "X-Content-Type-Options": "nosniff",
        }
        if if_none_match is not None and headers["ETag"] in if_none_match:
            return web.Response(status=304, headers=headers)
        suffix = Path(file).suffix
        policy = {"Content-Security-Policy": IMAGE_POLICY} if suffix in IMAGE_SUFFIXES.values() else {}
        return web.Response(body=body, headers={**headers, **policy, "Content-Type": CONTENT_TYPES[suffix]})


ASSETS = web.AppKey("assets", Assets)


async def static(request: web.Request) -> web.Response:
    """GET /oidc/static/{version}/{file}."""
    version, file = request.match_info["version"], request.match_info["file"]
    return request.app[ASSETS].response(version, file, request.headers.get("If-None-Match"))
