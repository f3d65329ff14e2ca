-- Users. `epoch` is copied into sessions and grants and compared at use: raising it ends them all.
CREATE TABLE users (
    user_id        uuid PRIMARY KEY,
    username       text NOT NULL,
    username_key   text NOT NULL UNIQUE,            -- canonical: folded, NFKC
    claims         jsonb NOT NULL DEFAULT '{}',
    claims_version integer NOT NULL DEFAULT 0,
    epoch          integer NOT NULL DEFAULT 0,
    disabled_at    timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);

-- What a person may type to sign in: one namespace, so that no one's e-mail address is another's user name.
CREATE TABLE user_names (
    name_key text PRIMARY KEY,                      -- canonical user name or e-mail address
    user_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE
);
CREATE INDEX user_names_by_user ON user_names (user_id);

CREATE TABLE credentials (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE clients (
    client_id   text PRIMARY KEY,
    metadata    jsonb NOT NULL,                     -- effective metadata, wire names
    secrets     jsonb NOT NULL DEFAULT '[]',        -- [{"hash": hex, "expires_at": iso or null}]
    registration_access_token_hash bytea,
    is_dynamically_registered boolean NOT NULL DEFAULT false,
    version     integer NOT NULL DEFAULT 1,
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE initial_access_tokens (
    token_hash  bytea PRIMARY KEY,
    uses_left   integer NOT NULL CHECK (uses_left >= 0),
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- What a process asks every half second: has anything changed that it keeps in memory?
CREATE TABLE change_counter (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    value   bigint NOT NULL DEFAULT 0
);
INSERT INTO change_counter DEFAULT VALUES;

CREATE TABLE changes (
    name  text PRIMARY KEY,                         -- 'keys', or 'client:' and a client_id
    value bigint NOT NULL
);
CREATE INDEX changes_by_value ON changes (value);

CREATE TABLE consents (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id  text NOT NULL REFERENCES clients ON DELETE CASCADE,
    scope      text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_by_client ON consents (client_id);

CREATE TABLE sessions (
    session_key bytea PRIMARY KEY,                  -- digest of the cookie
    sid         uuid NOT NULL UNIQUE,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    epoch       integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE grants (
    grant_id       uuid PRIMARY KEY,
    code_hash      bytea NOT NULL UNIQUE,
    client_id      text NOT NULL REFERENCES clients ON DELETE CASCADE,
    redirect_uri   text NOT NULL,
    code_challenge text,
    user_id        uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    sid            uuid NOT NULL,
    is_offline     boolean NOT NULL,
    scope          text[] NOT NULL,
    claims         jsonb NOT NULL,                  -- the claims request, the nonce, and the authentication
    epoch          integer NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz
);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_end ON grants (expires_at);

CREATE TABLE refresh_families (
    family_hash      bytea PRIMARY KEY,
    grant_id         uuid NOT NULL REFERENCES grants ON DELETE CASCADE,
    client_id        text NOT NULL,
    jkt              text,
    current_hash     bytea NOT NULL,
    previous_hash    bytea,
    sealed_successor bytea,
    generation       integer NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL DEFAULT now(),
    rotated_at       timestamptz NOT NULL DEFAULT now(),
    idle             interval NOT NULL,
    expires_at       timestamptz NOT NULL,
    revoked_at       timestamptz
) WITH (fillfactor = 70);                           -- rotations stay on their page
CREATE UNIQUE INDEX refresh_families_by_grant ON refresh_families (grant_id);

CREATE TABLE revoked_access_tokens (
    token_id   uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_access_tokens_by_end ON revoked_access_tokens (expires_at);

CREATE TABLE keys (
    kid            text PRIMARY KEY,
    use            text NOT NULL CHECK (use IN ('sig', 'seal')),
    alg            text NOT NULL,
    public_jwk     jsonb,
    private        bytea NOT NULL,                  -- encrypted under the secret key; empty once it is gone
    published_at   timestamptz NOT NULL,
    activates_at   timestamptz,                     -- null: next, without a date
    retires_at     timestamptz,
    is_compromised boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX keys_one_next ON keys (alg) WHERE activates_at IS NULL AND use = 'sig' AND NOT is_compromised;

-- Which process does a piece of background work for now.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    holder     uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE audit (
    audit_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    event     text NOT NULL,
    user_id   uuid,
    client_id text,
    detail    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_time ON audit (at);
