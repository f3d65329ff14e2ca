-- Whether a client has ever been used. What is there today counts as used: nobody noted it before.
ALTER TABLE clients ADD COLUMN IF NOT EXISTS used_at timestamptz DEFAULT now();
ALTER TABLE clients ALTER COLUMN used_at DROP DEFAULT;

-- The clients that registered themselves: how many there are, and which of them are old.
CREATE INDEX IF NOT EXISTS clients_self_registered ON clients (created_at) WHERE is_dynamically_registered;
