-- Clients that nobody registered: their client_id is the URL of their metadata, of which this is the digest of
-- what users agree to. Such a row is made with the first consent, and leaves with the last grant.
ALTER TABLE clients ADD COLUMN IF NOT EXISTS document_hash bytea;
CREATE INDEX IF NOT EXISTS clients_of_documents ON clients (used_at) WHERE document_hash IS NOT NULL;

-- The documents that an operator has approved.
CREATE TABLE IF NOT EXISTS approved_documents (
    client_id   text PRIMARY KEY,
    approved_at timestamptz NOT NULL DEFAULT now()
);
