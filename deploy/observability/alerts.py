"""The alerts: what wakes somebody, and after how long. *Pure.*"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

RUNBOOK = "deploy/README.md"


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule: `expression` in PromQL holds for `after` until somebody is told; `summary` is a sentence."""

    name: str
    expression: str
    after: str
    severity: Literal["page", "ticket"]
    summary: str

    @property
    def anchor(self) -> str:
        """Its heading in the runbook, as a fragment."""
        return self.name.lower()

    def rule(self, runbook: str) -> Mapping[str, Any]:
        """For a file of Prometheus rules. *runbook*: the URL of the runbook."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.after,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "runbook_url": f"{runbook}#{self.anchor}"},
        }


_REQUESTS = "ostiary_request_seconds"

ALERTS = (
    Alert("OstiaryDown", 'up{job="ostiary"} == 0', "1m", "page", "{{ $labels.instance }} cannot be scraped."),
    Alert(
        "OstiaryNotReady",
        "ostiary_ready == 0",
        "1m",
        "page",
        "The check {{ $labels.check }} of {{ $labels.instance }} fails.",
    ),
    Alert(
        "OstiaryErrors",
        f'sum by (route) (rate({_REQUESTS}_count{{status="5xx"}}[5m]))'
        f" / sum by (route) (rate({_REQUESTS}_count[5m])) > 0.01",
        "5m",
        "page",
        "{{ $value | humanizePercentage }} of the answers of {{ $labels.route }} are errors of the server.",
    ),
    Alert(
        "OstiarySlow",
        f"histogram_quantile(0.99, sum by (le, route) (rate({_REQUESTS}_bucket[5m]))) > 1",
        "10m",
        "ticket",
        "One in a hundred requests to {{ $labels.route }} takes {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "OstiaryEventLoopLate",
        "rate(ostiary_event_loop_lag_seconds_sum[5m]) / rate(ostiary_event_loop_lag_seconds_count[5m]) > 0.1",
        "5m",
        "ticket",
        "The event loop of {{ $labels.instance }} is {{ $value | humanizeDuration }} late on average.",
    ),
    Alert(
        "OstiaryPoolExhausted",
        'rate(ostiary_database_pool_events_total{event="timed_out"}[5m]) > 0 or ostiary_database_waiting > 8',
        "2m",
        "page",
        "Requests to {{ $labels.instance }} wait for a connection to PostgreSQL.",
    ),
    Alert(
        "OstiaryStatementsGivenUp",
        'rate(ostiary_database_pool_events_total{event="given_up"}[5m]) > 0.1',
        "5m",
        "ticket",
        "PostgreSQL does not answer {{ $labels.instance }} in time.",
    ),
    Alert(
        "OstiaryBackgroundWorkFails",
        'sum by (work) (rate(ostiary_background_rounds_total{outcome="failed"}[10m])) > 0',
        "10m",
        "ticket",
        "The background work {{ $labels.work }} fails by a defect.",
    ),
    Alert(
        "OstiaryLogoutNoticesLate",
        'max(ostiary_outbox_age_seconds) > 900 or max(ostiary_outbox_notices{state="given_up"}) > 0',
        "5m",
        "ticket",
        "Clients have not been told of logouts.",
    ),
    Alert(
        "OstiaryKeyOverdue",
        "max by (alg) (ostiary_key_age_seconds) > scalar(max(ostiary_key_rotation_seconds)) + 86400",
        "1h",
        "ticket",
        "The signing key for {{ $labels.alg }} should have been replaced.",
    ),
    Alert(
        "OstiaryClockSkewed",
        "abs(ostiary_clock_skew_seconds) > 1",
        "2m",
        "ticket",
        "The clocks of {{ $labels.instance }} and PostgreSQL differ by {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "OstiaryExpiryBehind",
        "max by (table) (ostiary_expiry_behind) > 0",
        "1h",
        "ticket",
        "More rows expire in {{ $labels.table }} than are deleted.",
    ),
    Alert(
        "OstiaryLogLinesDropped",
        'rate(ostiary_events_total{event="log_line",outcome="dropped"}[5m]) > 0',
        "2m",
        "ticket",
        "The reader of the log of {{ $labels.instance }} is too slow, and lines are lost.",
    ),
    Alert(
        "OstiaryMailsFail",
        '(sum(rate(ostiary_events_total{event="mail",outcome="failed"}[15m])) > 0'
        " or max(ostiary_mails_age_seconds) > 900)"
        ' unless sum(rate(ostiary_events_total{event="mail",outcome="ok"}[15m])) > 0',
        "15m",
        "ticket",
        "No mails are sent: users who have forgotten their password get no link.",
    ),
    Alert(
        "OstiarySignInsFail",
        'sum(rate(ostiary_events_total{event="sign_in",outcome=~"failed|throttled"}[10m])) > 1'
        ' and sum(rate(ostiary_events_total{event="sign_in",outcome=~"failed|throttled"}[10m]))'
        ' > 4 * sum(rate(ostiary_events_total{event="sign_in",outcome="ok"}[10m]))',
        "10m",
        "ticket",
        "Most sign-ins fail: somebody guesses passwords, or an application sends wrong ones.",
    ),
)


def rule_file(runbook: str = RUNBOOK) -> Mapping[str, Any]:
    """The content of a file for Prometheus' `rule_files`."""
    return {"groups": [{"name": "ostiary", "rules": [alert.rule(runbook) for alert in ALERTS]}]}
