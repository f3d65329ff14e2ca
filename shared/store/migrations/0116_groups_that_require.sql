-- no-transaction
-- Whether any group requires a second factor.
CREATE INDEX CONCURRENTLY IF NOT EXISTS groups_requiring_second_factor
    ON groups (group_id) WHERE requires_second_factor;
