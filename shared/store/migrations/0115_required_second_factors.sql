-- Members of such a group sign in with a second factor.
ALTER TABLE groups ADD COLUMN IF NOT EXISTS requires_second_factor boolean NOT NULL DEFAULT false;
