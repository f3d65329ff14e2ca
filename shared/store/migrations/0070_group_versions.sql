-- The version of a group, which a replacement names.
ALTER TABLE groups ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1;
