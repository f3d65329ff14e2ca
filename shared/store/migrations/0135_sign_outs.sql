-- Users who have lost a group or a role together with many others, and whose sessions and grants are still to end.
-- No foreign key: checking it would lock the row of each user in the transaction that adds all of them.
CREATE TABLE sign_outs (
    user_id    uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
