-- The passwords that were set before the triggers were there, which by now copy every change. No lock is held
-- meanwhile but on the users, against deletion.
INSERT INTO user_credentials (user_id, kind, data, created_at)
SELECT c.user_id, 'password', jsonb_build_object('hash', c.password_hash), c.changed_at
  FROM credentials c JOIN users u USING (user_id) FOR KEY SHARE OF u
ON CONFLICT DO NOTHING;
