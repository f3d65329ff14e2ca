-- Credentials of users, several each: passwords, and later passkeys and one-time codes. Processes of the previous
-- release still read and write `credentials`, which holds one password a user. Until a later release drops it,
-- triggers copy every change of a password from each table to the other. A copy that changes nothing ends there.
--
-- Whoever changes a password locks the row of `credentials` first, as the previous release does, so that two
-- changes wait for each other in one order.
CREATE TABLE user_credentials (
    credential_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind          text NOT NULL,                    -- 'password', or one of a later release
    data          jsonb NOT NULL,                   -- of a password: {"hash": PHC string}
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz,
    CHECK (kind <> 'password' OR data ? 'hash')
);
CREATE INDEX user_credentials_by_user ON user_credentials (user_id);
CREATE UNIQUE INDEX user_credentials_one_password ON user_credentials (user_id) WHERE kind = 'password';

CREATE FUNCTION copy_password_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM user_credentials WHERE user_id = OLD.user_id AND kind = 'password';
    ELSE
        INSERT INTO user_credentials AS c (user_id, kind, data, created_at)
        VALUES (NEW.user_id, 'password', jsonb_build_object('hash', NEW.password_hash), NEW.changed_at)
        ON CONFLICT (user_id) WHERE kind = 'password' DO UPDATE SET
            data = excluded.data,
            created_at = excluded.created_at,
            last_used_at = CASE WHEN c.created_at = excluded.created_at THEN c.last_used_at END
        WHERE (c.data, c.created_at) IS DISTINCT FROM (excluded.data, excluded.created_at);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION copy_password_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM credentials WHERE user_id = OLD.user_id;
    ELSE
        INSERT INTO credentials AS c (user_id, password_hash, changed_at)
        VALUES (NEW.user_id, NEW.data ->> 'hash', NEW.created_at)
        ON CONFLICT (user_id) DO UPDATE SET
            password_hash = excluded.password_hash, changed_at = excluded.changed_at
        WHERE (c.password_hash, c.changed_at) IS DISTINCT FROM (excluded.password_hash, excluded.changed_at);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER copy_password AFTER INSERT OR UPDATE OR DELETE ON credentials
    FOR EACH ROW EXECUTE FUNCTION copy_password_forward();
CREATE TRIGGER copy_password AFTER INSERT OR UPDATE OF data, created_at ON user_credentials
    FOR EACH ROW WHEN (NEW.kind = 'password') EXECUTE FUNCTION copy_password_back();
CREATE TRIGGER copy_password_removal AFTER DELETE ON user_credentials
    FOR EACH ROW WHEN (OLD.kind = 'password') EXECUTE FUNCTION copy_password_back();
