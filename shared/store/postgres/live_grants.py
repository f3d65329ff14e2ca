"""What makes a grant live: the condition, and the tables that it reads."""

GRANT_STANDS = """
      g.revoked_at IS NULL AND g.expires_at > now() AND g.epoch = u.epoch AND u.disabled_at IS NULL
  AND g.client_epoch = c.epoch AND (g.is_offline OR s.sid IS NOT NULL AND s.ended_at IS NULL)"""
"""The condition of a live grant, over GRANT. State is compared at each use."""

GRANT = """grants g JOIN users u USING (user_id) JOIN clients c USING (client_id)
     LEFT JOIN sessions s ON s.sid = g.sid AND NOT g.is_offline"""
"""Grants, joined with what decides whether they are live."""
