-- Groups of users, flat. Nested groups, roles and rights will be tables and columns beside these.
-- The step that shared/store/migrate.py runs after this file makes memberships of the attribute `groups`.
CREATE TABLE groups (
    group_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text NOT NULL,
    name_key   text NOT NULL UNIQUE,                -- canonical, as users.username_key
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE group_members (
    user_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    group_id  uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX group_members_by_group ON group_members (group_id);
