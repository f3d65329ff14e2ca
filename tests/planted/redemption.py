"""Planted defects of redeeming codes and rotating refresh tokens."""

from datetime import timedelta
from importlib import import_module

import pytest

from services.token.grants.request import TokenRequest
from shared.store import Polled
from shared.store.postgres import clients, grants, outages, redemption, refresh_families
from shared.store.postgres.transport.server_clock import ServerClock
from shared.store.redis.codes import RedisAuthorizationCodes
from shared.store.redis.device_codes import RedisDeviceCodes


def _rewrite(monkeypatch: pytest.MonkeyPatch, module: object, name: str, old: str, new: str) -> None:
    sql = getattr(module, name)
    assert old in sql
    monkeypatch.setattr(module, name, sql.replace(old, new))


async def _nothing(*_: object) -> None:
    pass


def keeps_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt whose outcome is unknown is forgotten: its repetition counts as a replay."""
    monkeypatch.setattr(RedisAuthorizationCodes, "keep_attempt", _nothing)
    monkeypatch.setattr(RedisDeviceCodes, "keep_attempt", _nothing)


def takes_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attempt that finds another attempt's grant is a replay."""
    _rewrite(monkeypatch, grants, "REDEEM", redemption._TAKES_OVER, "false")


def leaves_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """The repetition gets a refresh token that no family knows."""
    start = redemption.REDEEM.index("  ON CONFLICT (grant_id)")
    end = redemption.REDEEM.index("  RETURNING f.grant_id")
    _rewrite(monkeypatch, grants, "REDEEM", redemption.REDEEM[start:end], "  ON CONFLICT DO NOTHING\n")
    _rewrite(monkeypatch, grants, "REDEEM", "EXISTS (SELECT FROM family)", "true")


def updates_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family is replaced as the statement saw it before it waited."""
    start = redemption.REDEEM.index("family AS (")
    end = redemption.REDEEM.index("audited AS (")
    updated = """family AS (
  UPDATE refresh_families f SET family_hash = $13, current_hash = $14, idle = $15, expires_at = $16
    FROM redeemed r WHERE r.is_mine AND NOT r.is_new AND f.grant_id = r.grant_id RETURNING f.grant_id),
made AS (
  INSERT INTO refresh_families (family_hash, grant_id, client_id, current_hash, idle, expires_at)
  SELECT $13, grant_id, client_id, $14, $15, $16 FROM redeemed WHERE is_new AND $13::bytea IS NOT NULL),
"""
    _rewrite(monkeypatch, grants, "REDEEM", redemption.REDEEM[start:end], updated)
    _rewrite(monkeypatch, grants, "REDEEM", "EXISTS (SELECT FROM family)", "true")


def revokes_what_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that is executed after its repetition counts as a replay."""
    _rewrite(monkeypatch, grants, "REDEEM", "OR $1 = ANY(g.attempts)", "")


def knows_no_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request delivered twice at once is a replay."""
    overlaps = redemption._overlaps
    _rewrite(monkeypatch, grants, "REDEEM", overlaps("$21"), "false")
    _rewrite(monkeypatch, grants, "REVOKE_REPLAYED", overlaps("$3"), "false")


def counts_from_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request counts as complete when its statement is executed, however long that has waited."""
    overlaps = redemption._overlaps
    executed = "(CASE WHEN $21::timestamptz IS NOT NULL THEN clock_timestamp() END)"
    _rewrite(monkeypatch, grants, "REDEEM", overlaps("$21"), overlaps(executed))


def forgives_for_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay within five seconds counts as a retry, although it began later."""
    overlap = f"g.made_at > statement_timestamp() - {redemption.OVERLAP}"
    _rewrite(monkeypatch, grants, "REDEEM", redemption._overlaps("$21"), f"coalesce({overlap}, false)")


def ignores_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement is executed even after its deadline."""

    def never(*_: object) -> None:
        return None

    monkeypatch.setattr(ServerClock, "deadline", never)


def forgets_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reuse window runs during outages of PostgreSQL."""
    outage = outages.OUTAGE
    _rewrite(monkeypatch, refresh_families, "_ROTATE", outage, "interval '0'")
    _rewrite(monkeypatch, refresh_families, "_FIND", outage, "interval '0'")


def compares_no_client_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens and grants of a client outlive the end of its grants and the client itself."""
    _rewrite(monkeypatch, grants, "REDEEM", "AND c.epoch = $18", "AND $18::bigint >= 0")
    for module, name in (
        (grants, "_OWNER"),
        (grants, "_TOKEN_USER"),
        (refresh_families, "_ROTATE"),
        (refresh_families, "_FIND"),
        (refresh_families, "_USE"),
    ):
        _rewrite(monkeypatch, module, name, "AND g.client_epoch = c.epoch", "")


def keeps_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is registered under the id of a deleted one inherits its grants."""
    _rewrite(monkeypatch, clients, "_DELETE", "epoch = nextval('client_epochs'), ", "")
    _rewrite(monkeypatch, clients, "_ADD", "epoch = excluded.epoch, first_epoch = excluded.first_epoch, ", "")


def interval_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that polls too fast gets slow_down, but its interval does not grow."""
    poll = RedisDeviceCodes.poll

    async def without_growth(
        self: RedisDeviceCodes, code_hash: bytes, interval: timedelta, _: timedelta
    ) -> Polled | None:
        return await poll(self, code_hash, interval, timedelta())

    monkeypatch.setattr(RedisDeviceCodes, "poll", without_growth)


def blames_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that writes late counts as an outage of PostgreSQL."""
    _rewrite(monkeypatch, outages, "_BEAT", "OR $2 THEN", "OR $2 AND false THEN")


def believes_every_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A redemption that proved nothing but the code counts as a retry."""
    for name in ("redemption", "authorization_code", "device_code"):
        module = import_module(f"services.token.grants.{name}")
        monkeypatch.setattr(module, "proves", lambda client, code_challenge: True)


def spends_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose client has gone spends what it brought."""
    monkeypatch.setattr(TokenRequest, "check_awaited", lambda request: None)
