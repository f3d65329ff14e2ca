-- Second factors: a user has one authenticator app and one set of recovery codes.
-- kind 'totp': {"secret": encrypted, "last_step": the latest time step whose code was accepted}
-- kind 'recovery': {"hashes": [of each code that is not spent]}
CREATE UNIQUE INDEX user_credentials_one_totp ON user_credentials (user_id) WHERE kind = 'totp';
CREATE UNIQUE INDEX user_credentials_one_recovery ON user_credentials (user_id) WHERE kind = 'recovery';
