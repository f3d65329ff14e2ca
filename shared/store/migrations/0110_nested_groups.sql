-- Groups that are members of groups. The members of a group are in each of its parents, too, and so on upwards.
CREATE TABLE group_parents (
    group_id  uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    parent_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, parent_id),
    CHECK (group_id <> parent_id)
);
CREATE INDEX group_parents_by_parent ON group_parents (parent_id);
