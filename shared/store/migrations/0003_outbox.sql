-- Back-channel logout notices that wait. Written by the transaction that ends the session; gone once told.
CREATE TABLE outbox (
    notice_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- the `jti` of its logout token, at every try
    client_id   text NOT NULL REFERENCES clients ON DELETE CASCADE,
    sid         uuid NOT NULL,
    user_id     uuid NOT NULL,                              -- no reference: a notice outlives the user
    tries       integer NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now(),         -- of the next try; of one begun, the end of its lease
    given_up_at timestamptz,
    UNIQUE (client_id, sid)
);
CREATE INDEX outbox_by_due_time ON outbox (due_at) WHERE given_up_at IS NULL;

-- Whom to tell: the clients that were given something within a session.
CREATE INDEX grants_by_session ON grants (sid);
