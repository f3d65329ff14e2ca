"""The templates of the pages."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.browser.pages.security import https, link
from shared.browser.pages.views.client import visible

FOLDER = Path(__file__).parent / "templates"


@cache
def templates() -> Environment:
    """All of them, compiled once in a process, which takes a quarter of a second. A broken one raises."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
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
