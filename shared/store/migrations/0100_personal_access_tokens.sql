-- Personal access tokens, which users make for their scripts and programs. Only the digest of a token is stored.
-- `epoch` is the user's when the token was made: it is compared at each use, as that of a grant is.
CREATE TABLE personal_access_tokens (
    token_id     uuid PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text NOT NULL,
    scope        text[] NOT NULL,
    epoch        integer NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX personal_access_tokens_by_user ON personal_access_tokens (user_id);
CREATE INDEX personal_access_tokens_by_end ON personal_access_tokens (expires_at);
