-- The facts of this deployment. `issuer`: recorded by the first process that starts. `restored_at`: when the
-- operator last said that the database was restored from a backup.
CREATE TABLE IF NOT EXISTS deployment (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    issuer      text,
    restored_at timestamptz
);
INSERT INTO deployment DEFAULT VALUES ON CONFLICT DO NOTHING;
