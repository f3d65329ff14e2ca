-- no-transaction
-- The latest rows of one event, for `ostiary audit list --event`.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_by_event ON audit (event, audit_id);
