-- Sealed segments of the audit log. The hash of a segment covers its rows and the hash of the segment before.
-- The checkpoint signs the hash. When the rows of segments are removed by age, the last of these stays.
CREATE TABLE audit_segments (
    segment_id bigint PRIMARY KEY,             -- 1, 2, 3, …
    audit_ids  bigint[] NOT NULL,              -- its rows, by id
    last_id    bigint NOT NULL,                -- the greatest of them
    hash       bytea NOT NULL,
    last_at    timestamptz NOT NULL,           -- the time of the latest row
    checkpoint text NOT NULL,                  -- a JWS
    is_removed boolean NOT NULL DEFAULT false  -- the rows have been removed by age
);
CREATE INDEX audit_segments_by_last_id ON audit_segments (last_id);
