-- Requests of people who have forgotten their password, until a worker has looked whether there is such a user. The
-- page that takes them does the same for every name.
CREATE TABLE recovery_requests (
    request_id uuid PRIMARY KEY,
    contents   bytea NOT NULL,                     -- the typed name, the browser and its language, encrypted
    tries      integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz NOT NULL DEFAULT now()  -- of one begun, the end of its lease
);
CREATE INDEX recovery_requests_by_due_time ON recovery_requests (due_at);
CREATE INDEX recovery_requests_by_age ON recovery_requests (created_at);

-- The digest of a handle of the browser that asked for the link. None: an operator made it.
ALTER TABLE recovery_links ADD COLUMN IF NOT EXISTS browser_hash bytea;
