-- Whether a password is temporary: somebody else knows it, and its user chooses another one when they sign in with it.
-- A password that a process of the previous release sets in place of a temporary one stays temporary.
ALTER TABLE user_credentials ADD COLUMN IF NOT EXISTS is_temporary boolean NOT NULL DEFAULT false;
