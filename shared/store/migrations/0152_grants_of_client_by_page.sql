-- no-transaction
-- A page of a client's grants, without sorting all of them. It serves what `grants_by_client` serves, too.
CREATE INDEX CONCURRENTLY IF NOT EXISTS grants_of_client_by_page ON grants (client_id, grant_id);
