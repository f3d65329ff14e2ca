"""The names of browser and system in a User-Agent, for people who look through their sessions. Pure.

A browser claims what it likes (RFC 9110 §10.1.5): the names help to recognise a device and prove nothing.
"""

_BROWSERS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""Marks in a User-Agent, and their names. The first counts: browsers name those that they imitate, too."""


def device_name(user_agent: str | None) -> tuple[str | None, str | None]:
    """Browser and system; None where the User-Agent names none that is known."""
    claimed = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in claimed), None)
    system = next((name for mark, name in _SYSTEMS if mark in claimed), None)
    return browser, system
