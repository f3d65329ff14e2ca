"""The statement that redeems a code, and the rules that make its repetition harmless.

`code_hash` is unique. Of any number of attempts, one inserts the grant, and the others find its row.

Each attempt has an id, which is the id of the grant that it makes. The owner of a grant is the last of its
`attempts`, or `grant_id` itself. For an attempt that finds a row:

- If the attempt owns the row, it is the same statement, sent again after a lost answer. Nothing changes.
- If the owner is among its `unknown_attempts`, it takes the grant over: the client got 503 and repeats its
  request. It replaces the refresh family, of which no client has a token. Taking over compares and sets the
  owner, so exactly one of several concurrent repetitions does it, however long any of them was delayed. A
  lease would need a clock for that.
- If the row lists it among the attempts before the owner, it arrives after its own repetition. Nothing
  changes.
- If the row was made after the attempt's request was complete, the same request was delivered twice. It is
  refused and revokes nothing. OVERLAP bounds this, and it requires a request that proved something.
- Otherwise it is a replay and revokes the grant (RFC 6749 §4.1.2).

The family is written with ON CONFLICT instead of an UPDATE: the first attempt may commit while this statement
waits for it, and an UPDATE would read the families as they were before.

A statement that reaches the server after the request's deadline changes nothing.
"""

from shared.store.postgres.user_rows import user_with_groups

OVERLAP = "interval '5 seconds'"

IN_TIME = "coalesce(statement_timestamp() <= {deadline}, true)"
IS_LATE = "coalesce(statement_timestamp() > {deadline}, false) AS is_late"

_OWNER = "coalesce(g.attempts[cardinality(g.attempts)], g.grant_id)"
_TAKES_OVER = f"{_OWNER} = ANY($17::uuid[])"


def _overlaps(completed_at: str) -> str:
    """Whether the request was complete before the grant `g` was made."""
    return f"""coalesce(g.made_at > {completed_at}::timestamptz
                   AND g.made_at > statement_timestamp() - {OVERLAP}, false)"""


# FOR SHARE: a transaction that ends the session or the user's sessions waits for this grant and notifies its
# client.
REDEEM = f"""
WITH redeemed AS (
  INSERT INTO grants AS g (grant_id, code_hash, client_id, redirect_uri, code_challenge, user_id, sid,
                           is_offline, scope, claims, epoch, client_epoch, expires_at, attempts)
  SELECT $1, $2, $3, $4, $5, u.user_id, s.sid, $8, $9, $10, u.epoch, c.epoch, $12,
         CASE WHEN $17::uuid[] <> '{{}}' THEN $17 || $1::uuid END
    FROM users u JOIN sessions s USING (user_id) JOIN clients c ON c.client_id = $3 AND c.epoch = $18
   WHERE u.user_id = $6 AND u.disabled_at IS NULL AND u.epoch = $11
     AND s.sid = $7 AND s.ended_at IS NULL AND s.epoch = u.epoch
     AND {IN_TIME.format(deadline="$22::timestamptz")}
     FOR SHARE OF u, s
  ON CONFLICT (code_hash) DO UPDATE SET
     attempts   = CASE WHEN {_TAKES_OVER} THEN coalesce(g.attempts, ARRAY[g.grant_id]) || $17 || $1
                       ELSE g.attempts END,
     made_at    = CASE WHEN {_TAKES_OVER} THEN clock_timestamp() ELSE g.made_at END,
     revoked_at = CASE WHEN {_OWNER} = $1 OR {_TAKES_OVER} OR $1 = ANY(g.attempts) OR {_overlaps("$21")}
                       THEN g.revoked_at ELSE coalesce(g.revoked_at, now()) END
   WHERE g.client_id = excluded.client_id
  RETURNING g.grant_id, g.user_id, g.client_id, xmax = 0 AS is_new,
            {_OWNER} = $1 AND g.revoked_at IS NULL AS is_mine,
            NOT ({_OWNER} = $1 OR coalesce($1 = ANY(g.attempts), false) OR {_overlaps("$21")}) AS is_replay),
family AS (
  INSERT INTO refresh_families AS f (family_hash, grant_id, client_id, current_hash, idle, expires_at, jkt)
  SELECT $13, grant_id, client_id, $14, $15, $16, $19 FROM redeemed WHERE is_mine AND $13::bytea IS NOT NULL
  ON CONFLICT (grant_id) DO UPDATE SET
     family_hash = excluded.family_hash, current_hash = excluded.current_hash, rotated_at = now(),
     idle = excluded.idle, expires_at = excluded.expires_at, jkt = excluded.jkt
   WHERE f.generation = 0 AND f.revoked_at IS NULL
  RETURNING f.grant_id),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT CASE WHEN is_new THEN 'grant_made' ELSE 'code_replayed' END, user_id, client_id,
         jsonb_build_object('grant_id', grant_id)
    FROM redeemed WHERE is_new OR is_replay)
SELECT r.grant_id, r.is_mine AND ($13::bytea IS NULL OR EXISTS (SELECT FROM family)) AS is_mine, r.is_replay,
       {IS_LATE.format(deadline="$22")}, {user_with_groups("$20::boolean")}
  FROM (SELECT) AS once LEFT JOIN (redeemed r JOIN users u USING (user_id)) ON true"""
"""$1 attempt, $2 code hash, $3 client, $4 redirect URI, $5 challenge, $6 user, $7 sid, $8 is offline,
$9 scope, $10 details, $11 epoch, $12 end; $13 family hash or NULL, $14 token hash, $15 idle, $16 its end;
$17 unknown attempts, $18 epoch of the client, $19 key of the family's sender or NULL,
$20 whether groups and roles are read, $21 when the request was complete or NULL, $22 its deadline or NULL."""

REVOKE_REPLAYED = f"""
WITH revoked AS (
  UPDATE grants g SET revoked_at = now()
   WHERE g.code_hash = $1 AND g.client_id = $2 AND g.revoked_at IS NULL
     AND {IN_TIME.format(deadline="$4::timestamptz")} AND NOT {_overlaps("$3")}
  RETURNING g.grant_id, g.user_id, g.client_id),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT 'code_replayed', user_id, client_id, jsonb_build_object('grant_id', grant_id) FROM revoked)
SELECT {IS_LATE.format(deadline="$4")}"""
"""$1 code hash, $2 client, $3 when the request was complete or NULL, $4 deadline or NULL."""
