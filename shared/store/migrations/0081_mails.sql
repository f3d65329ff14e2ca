-- Mails that wait. Gone once the mail server has accepted or refused them. What they say, which may be a link that
-- signs somebody in, is encrypted.
CREATE TABLE mails (
    mail_id    uuid PRIMARY KEY,
    user_id    uuid NOT NULL,                      -- no reference: a mail outlives the user
    kind       text NOT NULL,
    contents   bytea NOT NULL,                     -- the recipient, the language and the values
    tries      integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz NOT NULL DEFAULT now(), -- of the next try; of one begun, the end of its lease
    expires_at timestamptz NOT NULL                -- nobody needs it any more
);
CREATE INDEX mails_by_due_time ON mails (due_at);
CREATE INDEX mails_by_end ON mails (expires_at);
