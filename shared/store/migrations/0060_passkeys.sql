-- no-transaction
-- Passkeys: a user has several; an id of the authenticator is registered once, for whomever.
-- kind 'passkey': {"id": base64url, "public_key": base64url of a COSE_Key, "sign_count": 0 if there is none,
--   "synced", "backed_up", "user_verified": true or false, "aaguid", "transports": […], "name"}
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS user_credentials_one_passkey_id
    ON user_credentials ((data ->> 'id')) WHERE kind = 'passkey';
