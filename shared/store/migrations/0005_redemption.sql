-- When a grant was made, by the clock that judges which redemptions ran at the same time. Old grants have none.
ALTER TABLE grants ADD COLUMN IF NOT EXISTS made_at timestamptz;
ALTER TABLE grants ALTER COLUMN made_at SET DEFAULT clock_timestamp();

-- The attempts to redeem the code, the last of which has the grant. NULL: only the one that gave its grant_id.
ALTER TABLE grants ADD COLUMN IF NOT EXISTS attempts uuid[];

-- When PostgreSQL last acknowledged a write of a worker, which writes every second. NULL: there was no worker yet.
CREATE TABLE IF NOT EXISTS acknowledged (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    at      timestamptz
);
INSERT INTO acknowledged DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The times in which it acknowledged none.
CREATE TABLE IF NOT EXISTS outages (
    began_at timestamptz PRIMARY KEY,
    ended_at timestamptz NOT NULL
);
