"""The dashboards: an overview, one of a service, and one of the stores, as Grafana imports them. *Pure.*"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_SELECTED = 'instance=~"$instance"'


def _rate(metric: str, *matchers: str) -> str:
    """How fast a counter grows, a second."""
    return f"rate({metric}{{{','.join(matchers)}}}[$__rate_interval])"


def _rates(metric: str, labels: str, *matchers: str) -> dict[str, str]:
    """One line for each combination of *labels*."""
    legend = " ".join(f"{{{{{label}}}}}" for label in labels.split(", "))
    return {legend: f"sum by ({labels}) ({_rate(metric, *matchers)})"}


def _quantile(quantile: float, labels: str, *matchers: str) -> str:
    rate = _rate("ostiary_request_seconds_bucket", *matchers)
    return f"histogram_quantile({quantile}, sum by ({labels}) ({rate}))"


_LAG, _LOOKUPS = "ostiary_event_loop_lag_seconds", "ostiary_cache_lookups_total"
_HIT = 'outcome="hit"'


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph: `queries` in PromQL by their legend. `unit`: as Grafana calls it."""

    title: str
    unit: str
    queries: Mapping[str, str]
    explanation: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels."""

    uid: str
    title: str
    panels: Sequence[Panel]


OVERVIEW = Dashboard(
    "ostiary-overview",
    "Ostiary: overview",
    (
        Panel(
            "Sign-ins",
            "ops",
            _rates("ostiary_events_total", "outcome", 'event="sign_in"'),
            "Users who sign in with a password, and attempts that failed or were throttled.",
        ),
        Panel(
            "Tokens",
            "ops",
            _rates("ostiary_events_total", "outcome", 'event="token_issued"'),
            "Token responses by grant type.",
        ),
        Panel(
            "Other events",
            "ops",
            _rates("ostiary_events_total", "event, outcome", 'event!~"sign_in|token_issued"'),
            "Sign-ups, logouts, consents, logout notices, lost log lines.",
        ),
        Panel(
            "Requests",
            "reqps",
            _rates("ostiary_request_seconds_count", "status"),
            "All answers by status class.",
        ),
        Panel(
            "Time to answer",
            "s",
            {f"p{quantile}": _quantile(quantile / 100, "le") for quantile in (50, 95, 99)},
            "Of all requests. A password is hashed for some 50 ms on purpose.",
        ),
        Panel(
            "Checks that fail",
            "short",
            {"{{instance}} {{check}}": "ostiary_ready == 0"},
            "Empty while every process is ready.",
        ),
        Panel(
            "Logout notices",
            "short",
            {"{{state}}": "max by (state) (ostiary_outbox_notices)"},
            "Those that wait for their client, and those that were given up.",
        ),
        Panel(
            "Oldest logout notice",
            "s",
            {"age": "max(ostiary_outbox_age_seconds)"},
            "Grows while a client cannot be reached.",
        ),
        Panel(
            "Mails",
            "short",
            {"waiting": "max(ostiary_mails_waiting)"},
            "Those that the mail server has not taken yet.",
        ),
        Panel(
            "Oldest mail",
            "s",
            {"age": "max(ostiary_mails_age_seconds)"},
            "Grows while the mail server cannot be reached, or no worker sends mails.",
        ),
        Panel(
            "Users to be signed out",
            "short",
            {"waiting": "max(ostiary_sign_outs_waiting)"},
            "Those who lost a group or a role with many others. The worker signs them out in batches.",
        ),
        Panel(
            "Age of signing keys",
            "s",
            {
                "{{alg}}": "max by (alg) (ostiary_key_age_seconds)",
                "replaced at": "max(ostiary_key_rotation_seconds)",
            },
            "A key above the line should have been replaced.",
        ),
    ),
)

SERVICE = Dashboard(
    "ostiary-service",
    "Ostiary: a service",
    (
        Panel(
            "Requests by route",
            "reqps",
            _rates("ostiary_request_seconds_count", "route", _SELECTED),
            "Routes as they are mounted.",
        ),
        Panel(
            "Time to answer by route (p99)",
            "s",
            {"{{route}}": _quantile(0.99, "le, route", _SELECTED)},
            "One request in a hundred takes longer.",
        ),
        Panel(
            "Errors by route",
            "reqps",
            _rates("ostiary_request_seconds_count", "route, status", _SELECTED, 'status=~"4xx|5xx"'),
            "4xx is the client's doing, 5xx is ours or a store's.",
        ),
        Panel(
            "Event loop",
            "s",
            {"{{instance}}": f"{_rate(f'{_LAG}_sum', _SELECTED)} / {_rate(f'{_LAG}_count', _SELECTED)}"},
            "How late it is on average. Above 0.1 s the process has too little CPU.",
        ),
        Panel(
            "CPU",
            "percentunit",
            {"{{instance}}": _rate("process_cpu_seconds_total", _SELECTED)},
            "Of one core: a process uses no more. Near 1, start another process.",
        ),
        Panel(
            "Memory",
            "bytes",
            {"{{instance}}": f"process_resident_memory_bytes{{{_SELECTED}}}"},
            "Flat after the first minutes.",
        ),
        Panel(
            "Background work",
            "ops",
            _rates("ostiary_background_rounds_total", "work, outcome", _SELECTED),
            "`failed` is a defect, `unavailable` a store that did not answer.",
        ),
        Panel(
            "Clients from the cache",
            "percentunit",
            {"hits": f"sum({_rate(_LOOKUPS, _SELECTED, _HIT)}) / sum({_rate(_LOOKUPS, _SELECTED)})"},
            "Near 1 with fewer than 10 000 clients; strangers' requests lower it.",
        ),
        Panel(
            "Clock",
            "s",
            {"{{instance}}": f"ostiary_clock_skew_seconds{{{_SELECTED}}}"},
            "How far the process is ahead of PostgreSQL.",
        ),
    ),
)

STORES = Dashboard(
    "ostiary-stores",
    "Ostiary: stores",
    (
        Panel(
            "Connections to PostgreSQL",
            "short",
            {
                "{{use}}": "sum by (use) (ostiary_database_connections)",
                "at most": "sum(ostiary_database_pool_size)",
            },
            "Of all processes. `recovering`: their statement was given up and has not ended yet.",
        ),
        Panel(
            "Requests that wait for a connection",
            "short",
            {"{{instance}}": "ostiary_database_waiting"},
            "More than a few for long: the pool is too small, or PostgreSQL too slow.",
        ),
        Panel(
            "Pool events",
            "ops",
            _rates("ostiary_database_pool_events_total", "event"),
            "Connections opened, statements given up, waits that timed out.",
        ),
        Panel(
            "Rows",
            "short",
            {"{{table}}": "max by (table) (ostiary_table_rows)"},
            "As PostgreSQL estimates them.",
        ),
        Panel(
            "Size",
            "bytes",
            {"{{table}}": "max by (table) (ostiary_table_bytes)"},
            "Tables with their indexes.",
        ),
        Panel(
            "Expired rows deleted",
            "ops",
            _rates("ostiary_expired_rows_total", "table"),
            "By the worker, in batches.",
        ),
        Panel(
            "Expiry behind",
            "short",
            {"{{table}}": "max by (table) (ostiary_expiry_behind)"},
            "1 while a round cannot delete all that has expired.",
        ),
    ),
)

DASHBOARDS = (OVERVIEW, SERVICE, STORES)


def grafana(dashboard: Dashboard) -> Mapping[str, Any]:
    """The dashboard for Grafana's import; whoever imports it chooses the data source."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["ostiary"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_datasource_variable(), _instance_variable()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }


def _datasource_variable() -> Mapping[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _instance_variable() -> Mapping[str, Any]:
    return {
        "name": "instance",
        "label": "Process",
        "type": "query",
        "datasource": _DATASOURCE,
        "query": "label_values(ostiary_request_seconds_count, instance)",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, panel: Panel) -> Mapping[str, Any]:
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.explanation,
        "datasource": _DATASOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend}
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }
