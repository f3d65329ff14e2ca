-- E-mail addresses that users want, until they have typed the code that was mailed there. One for each user.
CREATE TABLE address_codes (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    address    text NOT NULL,
    code_hash  bytea NOT NULL,               -- by a key outside the database: there are only a million codes
    epoch      integer NOT NULL,             -- of the user
    tries      integer NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL
);
CREATE INDEX address_codes_by_end ON address_codes (expires_at);
