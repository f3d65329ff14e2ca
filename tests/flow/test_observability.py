"""Alerts and dashboards as Prometheus reads them, and metrics as a process exports them."""

import asyncio
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from aiohttp import ClientSession, UnixConnector
from prometheus_client.parser import text_string_to_metric_families

from deploy.observability.alerts import ALERTS
from shared.server.metric_table import EXPIRED_ROWS, METRICS
from tests.deployment import open_world, settings_for
from tests.flow.test_operations import BASE, HANG, ISSUER, serving
from tests.tools import needs

MOST_SERIES_AT_REST = 200
SHOWN_BY_THE_WORKER = ("ostiary_key_age_seconds", "ostiary_table_rows", "ostiary_expiry_behind")

FIRES = {
    "OstiaryDown": {'up{job="ostiary",instance="a"}': "0x200"},
    "OstiaryNotReady": {'ostiary_ready{instance="a",check="keys"}': "0x200"},
    "OstiaryErrors": {
        'ostiary_request_seconds_count{route="/t",status="5xx"}': "0+2x200",
        'ostiary_request_seconds_count{route="/t",status="2xx"}': "0+98x200",
    },
    "OstiarySlow": {
        'ostiary_request_seconds_bucket{route="/t",le="1.0"}': "0+9x200",
        'ostiary_request_seconds_bucket{route="/t",le="2.5"}': "0+10x200",
        'ostiary_request_seconds_bucket{route="/t",le="+Inf"}': "0+10x200",
    },
    "OstiaryEventLoopLate": {
        'ostiary_event_loop_lag_seconds_sum{instance="a"}': "0+48x200",
        'ostiary_event_loop_lag_seconds_count{instance="a"}': "0+240x200",
    },
    "OstiaryPoolExhausted": {'ostiary_database_pool_events_total{instance="a",event="timed_out"}': "0+1x200"},
    "OstiaryStatementsGivenUp": {
        'ostiary_database_pool_events_total{instance="a",event="given_up"}': "0+12x200"
    },
    "OstiaryBackgroundWorkFails": {
        'ostiary_background_rounds_total{work="expiry",outcome="failed"}': "0+1x200"
    },
    "OstiaryLogoutNoticesLate": {"ostiary_outbox_age_seconds": "0+60x200"},
    "OstiaryKeyOverdue": {
        'ostiary_key_age_seconds{alg="ES256"}': "9000000+60x200",
        "ostiary_key_rotation_seconds": "7776000x200",
    },
    "OstiaryClockSkewed": {'ostiary_clock_skew_seconds{instance="a"}': "-2x200"},
    "OstiaryExpiryBehind": {'ostiary_expiry_behind{table="grants"}': "1x200"},
    "OstiaryLogLinesDropped": {
        'ostiary_events_total{instance="a",event="log_line",outcome="dropped"}': "0+1x200"
    },
    "OstiaryMailsFail": {
        'ostiary_events_total{event="mail",outcome="failed"}': "0+6x200",
        'ostiary_events_total{event="mail",outcome="ok"}': "3x200",
    },
    "OstiarySignInsFail": {
        'ostiary_events_total{event="sign_in",outcome="failed"}': "0+120x200",
        'ostiary_events_total{event="sign_in",outcome="ok"}': "0+6x200",
    },
}
"""Series that make each alert fire, one value a minute."""

FIRES_TOO = (
    ("OstiaryMailsFail", {"ostiary_mails_age_seconds": "0+60x200"}),
    ("OstiaryLogoutNoticesLate", {'ostiary_outbox_notices{state="given_up"}': "1x200"}),
)
"""Other series that make an alert fire."""

HEALTHY = {
    'up{job="ostiary",instance="a"}': "1x200",
    'ostiary_ready{instance="a",check="keys"}': "1x200",
    'ostiary_request_seconds_count{route="/t",status="5xx"}': "0x200",
    'ostiary_request_seconds_count{route="/t",status="2xx"}': "0+100x200",
    'ostiary_request_seconds_bucket{route="/t",le="1.0"}': "0+100x200",
    'ostiary_request_seconds_bucket{route="/t",le="+Inf"}': "0+100x200",
    'ostiary_event_loop_lag_seconds_sum{instance="a"}': "0+1x200",
    'ostiary_event_loop_lag_seconds_count{instance="a"}': "0+240x200",
    'ostiary_database_pool_events_total{instance="a",event="timed_out"}': "3x200",
    'ostiary_database_pool_events_total{instance="a",event="given_up"}': "0+1x200",
    'ostiary_database_waiting{instance="a"}': "2x200",
    'ostiary_background_rounds_total{work="expiry",outcome="failed"}': "1x200",
    'ostiary_background_rounds_total{work="expiry",outcome="unavailable"}': "0+6x200",
    "ostiary_outbox_age_seconds": "30x200",
    "ostiary_mails_age_seconds": "0+60x200",
    'ostiary_outbox_notices{state="given_up"}': "0x200",
    'ostiary_key_age_seconds{alg="ES256"}': "7700000+60x200",
    "ostiary_key_rotation_seconds": "7776000x200",
    'ostiary_clock_skew_seconds{instance="a"}': "0.2x200",
    'ostiary_expiry_behind{table="grants"}': "1x20 0x180",
    'ostiary_events_total{instance="a",event="log_line",outcome="dropped"}': "5x200",
    'ostiary_events_total{event="mail",outcome="failed"}': "0+1x200",
    'ostiary_events_total{event="mail",outcome="ok"}': "0+6x200",
    'ostiary_events_total{event="sign_in",outcome="failed"}': "0+6x200",
    'ostiary_events_total{event="sign_in",outcome="ok"}': "0+120x200",
}
"""Series of a deployment in which nothing is wrong: faults of the past, and load."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What `python -m deploy.observability` writes."""
    folder = tmp_path / "observability"
    subprocess.run((sys.executable, "-m", "deploy.observability", str(folder)), check=True, timeout=60)
    return folder


def _promtool(*arguments: str) -> None:
    done = subprocess.run(
        (needs("promtool"), *arguments), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules_and_the_queries(files: Path) -> None:
    """The alerts, and the queries of the dashboards as rules that record."""
    _promtool("check", "rules", str(files / "ostiary.rules.yaml"))
    queries = [
        target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")
        for dashboard in files.glob("*.json")
        for panel in json.loads(dashboard.read_bytes())["panels"]
        for target in panel["targets"]
    ]
    recorded = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    checked = files / "queries.yaml"
    checked.write_text(json.dumps({"groups": [{"name": "queries", "rules": recorded}]}), "utf-8")
    _promtool("check", "rules", str(checked))


def test_alerts_fire_when_they_must_and_never_else(files: Path) -> None:
    """Each by its own series, and none in a deployment in which nothing is wrong."""
    assert list(FIRES) == [alert.name for alert in ALERTS]
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > 0',
                    "eval_time": "150m",
                    "exp_samples": [{"labels": "{}", "value": count}] if count else [],
                }
            ],
        }
        for alert, series, count in (
            *((alert, series, 1) for alert, series in (*FIRES.items(), *FIRES_TOO)),
            *((alert, HEALTHY, 0) for alert in FIRES),
        )
    ]
    document = files / "tests.yaml"
    document.write_text(
        json.dumps({"rule_files": ["ostiary.rules.yaml"], "evaluation_interval": "1m", "tests": tests}),
        "utf-8",
    )
    _promtool("test", "rules", str(document))


async def test_a_process_exports_the_table(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Every metric of the table and none beside it, in few series; no label has more values than it says."""
    settings = settings_for(database_url, redis_url, issuer=ISSUER)
    async with open_world(settings), serving(settings, tmp_path) as running:
        assert await running.status("/oidc/.well-known/openid-configuration") == 200

        async def scrape() -> str:
            connector = UnixConnector(str(running.metrics))
            async with ClientSession(connector=connector) as http, http.get(f"{BASE}/metrics") as response:
                return await response.text()

        text = ""
        async with asyncio.timeout(HANG):
            while not all(f"{name}{{" in text for name in SHOWN_BY_THE_WORKER):
                await asyncio.sleep(0.1)
                text = await scrape()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    ours = {name for name in families if name.startswith("ostiary_")}
    expected = {metric.name.removesuffix("_total"): metric for metric in METRICS if metric != EXPIRED_ROWS}
    assert ours - {EXPIRED_ROWS.name.removesuffix("_total")} == set(expected)
    assert len(re.findall(r"^ostiary_(?!\w+_bucket)", text, re.MULTILINE)) < MOST_SERIES_AT_REST
    for name, metric in expected.items():
        values: dict[str, set[str]] = defaultdict(set)
        for sample in families[name].samples:
            for label, value in sample.labels.items():
                values[label].add(value)
        assert set(values) - {"le"} in (set(), set(metric.labels))  # nothing may have happened yet
        too_many = {
            label: values[label] for label, most in metric.labels.items() if len(values[label]) > most
        }
        assert not too_many, name
