-- Where a session began, for its user's list of sessions: {"address": text, "user_agent": text}.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS origin jsonb NOT NULL DEFAULT '{}';
