-- Roles, which users have by themselves and through their groups.
-- The step that shared/store/migrate.py runs after this file gives users the roles of their attribute `roles`.
CREATE TABLE roles (
    role_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text NOT NULL,
    name_key   text NOT NULL UNIQUE,                -- canonical, as groups.name_key
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_roles (
    user_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role_id  uuid NOT NULL REFERENCES roles ON DELETE CASCADE,
    given_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_by_role ON user_roles (role_id);

CREATE TABLE group_roles (
    group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    role_id  uuid NOT NULL REFERENCES roles ON DELETE CASCADE,
    given_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, role_id)
);
CREATE INDEX group_roles_by_role ON group_roles (role_id);
