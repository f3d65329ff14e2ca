-- When a user last chose a new password by a recovery link. NULL: never, or an operator has ended what follows from it.
ALTER TABLE users ADD COLUMN IF NOT EXISTS recovered_at timestamptz;
