-- The administration scopes that the members of a group have: they are administrators.
ALTER TABLE groups ADD COLUMN IF NOT EXISTS scopes text[] NOT NULL DEFAULT '{}';
