-- no-transaction
-- Users read their own part of the audit log, the latest rows first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_by_user ON audit (user_id, audit_id) WHERE user_id IS NOT NULL;
