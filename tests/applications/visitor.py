"""A person whose browser runs no script, at an application and at the provider."""

from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests

from tests.flow.op import Op
from tests.flow.user_agent import UserAgent

MOST_REDIRECTS = 20
HANG_GUARD = 60  # seconds


@dataclass(slots=True)
class Visitor:
    """Follows redirects wherever they lead, and signs in where the provider asks for it."""

    op: Op
    session: requests.Session = field(default_factory=requests.Session)
    at_provider: UserAgent = field(init=False)

    def __post_init__(self) -> None:
        self.at_provider = UserAgent(self.op.door)

    def visit(self, url: str, form: dict[str, str] | None = None) -> requests.Response:
        """The page of the application at which *url* ends; *form* is posted there."""
        for _ in range(MOST_REDIRECTS):
            if url.startswith(f"{self.op.door.origin}/"):
                url = self.at_provider.sign_in(url, self.op.username, self.op.password)
            method = "GET" if form is None else "POST"
            page = self.session.request(method, url, data=form, allow_redirects=False, timeout=HANG_GUARD)
            if not page.is_redirect:
                return page
            url, form = urljoin(url, page.headers["Location"]), None
        raise AssertionError(f"redirected in circles: {url}")
