-- Links by which somebody who cannot sign in sets a new password, once. Spent ones are deleted. A link ends with the
-- epoch of its user: when the password changes, and when the user is disabled or signed out everywhere.
CREATE TABLE recovery_links (
    link_hash  bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    epoch      integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX recovery_links_by_user ON recovery_links (user_id);
CREATE INDEX recovery_links_by_end ON recovery_links (expires_at);
