-- no-transaction
-- The list of disabled users.
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_disabled ON users (username_key) WHERE disabled_at IS NOT NULL;
