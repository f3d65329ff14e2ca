-- no-transaction
-- The clients whose claims are mapped: their users may not change the attributes that such a claim is taken from.
CREATE INDEX CONCURRENTLY IF NOT EXISTS clients_with_claims_mapping ON clients (client_id)
 WHERE metadata @? '$.claims_mapping.*';
