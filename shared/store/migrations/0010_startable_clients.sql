-- The clients at which a login can be started from the start page, by name: it shows the first of them.
CREATE INDEX IF NOT EXISTS clients_startable ON clients (lower(metadata ->> 'client_name'), client_id)
 WHERE metadata ? 'initiate_login_uri' AND disabled_at IS NULL;
