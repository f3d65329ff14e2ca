"""Metrics, dashboards, alerts and their documentation: none speaks of what another does not have."""

import re
from pathlib import Path

import pytest

from deploy.observability.alerts import ALERTS, Alert
from deploy.observability.dashboards import DASHBOARDS
from shared.server.metric_table import METRICS, MetricDescription

GUIDE = (Path(__file__).parents[2] / "deploy" / "README.md").read_text("utf-8")
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


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_has_its_entry_in_the_runbook(alert: Alert) -> None:
    """A heading, at which its link arrives, and what to do beneath it."""
    _, heading, rest = GUIDE.partition(f"\n#### {alert.name}\n")
    assert heading
    assert len(rest.partition("\n#")[0].split()) > 20
