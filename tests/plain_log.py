"""The log of services in the process of the tests has plain tracebacks, as in production.

structlog's default shows the variables of every frame, and takes seconds for one exception.
"""

import structlog


def pytest_configure() -> None:
    """Replace the last of structlog's default processors, which renders."""
    *processors, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, renderer])
