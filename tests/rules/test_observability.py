"""Metrics, dashboards, alerts and their documentation: none speaks of what another does not have."""

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from deploy.observability.alerts import ALERTS, Alert
from deploy.observability.dashboards import DASHBOARDS
from shared.server.metric_table import METRICS, MetricDescription
from tests.rules.sources import ROOT, modules, tree

GUIDE = (ROOT / "deploy" / "README.md").read_text("utf-8")
QUERIES = [
    query for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries.values()
]
EXPRESSIONS = [*QUERIES, *(alert.expression for alert in ALERTS)]
_NAME = re.compile(r"\bostiary_[a-z_]+\b")
_SERIES = re.compile(r"_(bucket|sum|count)$")


def _used() -> set[str]:
    names = {name for expression in EXPRESSIONS for name in _NAME.findall(expression)}
    histograms = {metric.name for metric in METRICS if metric.kind == "histogram"}
    return {_SERIES.sub("", name) if _SERIES.sub("", name) in histograms else name for name in names}


def test_what_is_shown_is_what_is_measured() -> None:
    """Every metric in a query is in the table, and every metric of the table is in a query."""
    assert _used() == {metric.name for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_documented(metric: MetricDescription) -> None:
    """With its type, its labels and its meaning, and it is named as Prometheus recommends."""
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |" in GUIDE
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not {"user", "username", "client", "client_id", "sub"} & set(metric.labels)


_FROM_OUTSIDE = {"event": ("sign_in", "second_factor"), "grant_type": ("the grant type",)}
"""What a name stands for that is not a literal where an event is counted."""


def _values(node: ast.expr) -> tuple[str, ...]:
    """The values that an argument may have."""
    match node:
        case ast.Constant(value=str(value)):
            return (value,)
        case ast.IfExp():
            return (*_values(node.body), *_values(node.orelse))
        case ast.Name():
            return _FROM_OUTSIDE[node.id]
    raise AssertionError(ast.unparse(node))


def _calls() -> Iterator[ast.Call]:
    for path in modules("services", "shared"):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "count_event"
            ):
                yield node


def _counted() -> Mapping[str, set[str]]:
    """The outcomes of each event that is counted."""
    counted: dict[str, set[str]] = {}
    for call in _calls():
        outcomes = _values(call.args[1]) if len(call.args) > 1 else ("ok",)
        for event in _values(call.args[0]):
            counted.setdefault(event, set()).update(outcomes)
    return counted


def test_every_event_is_documented_and_nothing_else() -> None:
    """With its outcomes."""
    section = GUIDE.partition("`ostiary_events_total` counts these:")[2].partition("\n\n`python")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    assert {event: {each.strip("`") for each in told.split(", ")} for event, told in rows} == _counted()


_EVENTS = re.compile(r"ostiary_events_total\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)(=~|=)"([^"$]*)"')


def test_what_is_asked_for_is_counted() -> None:
    """Each event in a query is counted, with every outcome that is asked for."""
    counted, asked = _counted(), 0
    for labels in (each for expression in EXPRESSIONS for each in _EVENTS.findall(expression)):
        matched = {name: values.split("|") for name, _, values in _MATCHER.findall(labels)}
        for event in matched.get("event", ()):
            asked += 1
            assert set(matched.get("outcome", ())) <= counted[event], labels
    assert asked > 5


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_has_its_entry_in_the_runbook(alert: Alert) -> None:
    """A heading, at which its link arrives, and what to do beneath it."""
    _, heading, rest = GUIDE.partition(f"\n#### {alert.name}\n")
    assert heading
    assert len(rest.partition("\n#")[0].split()) > 20
