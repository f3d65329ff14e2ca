-- The value of the change counter at least a day ago. What a deleted client left in `changes` before may go:
-- a process that has heard nothing for so long keeps no client.
ALTER TABLE change_counter
    ADD COLUMN IF NOT EXISTS marked_value  bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS marked_at     timestamptz,
    ADD COLUMN IF NOT EXISTS passed_value  bigint NOT NULL DEFAULT 0;
