-- no-transaction
-- The latest rows of one client, for `ostiary audit list --client`.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_by_client ON audit (client_id, audit_id) WHERE client_id IS NOT NULL;
