-- A client's epoch is carried by everything that it is given, and compared where that is used. Each comes from
-- this sequence, once: whatever was given under an earlier epoch is over. What has none was given under 0.
CREATE SEQUENCE IF NOT EXISTS client_epochs AS bigint;

ALTER TABLE clients
    ADD COLUMN IF NOT EXISTS epoch       bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS first_epoch bigint NOT NULL DEFAULT 0,   -- when it was registered
    ADD COLUMN IF NOT EXISTS deleted_at  timestamptz;                 -- its dependants are being removed
ALTER TABLE clients ALTER COLUMN epoch SET DEFAULT nextval('client_epochs');

ALTER TABLE grants ADD COLUMN IF NOT EXISTS client_epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE consents ADD COLUMN IF NOT EXISTS client_epoch bigint NOT NULL DEFAULT 0;

-- What is to be removed: everything that a deleted client has from before this epoch.
CREATE TABLE IF NOT EXISTS client_removals (
    client_id  text PRIMARY KEY REFERENCES clients ON DELETE CASCADE,
    epoch      bigint NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now()
);
