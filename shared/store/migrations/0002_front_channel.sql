-- A grant whose tokens came from the authorization endpoint has no code.
ALTER TABLE grants ALTER COLUMN code_hash DROP NOT NULL;

-- The salt of pairwise subject identifiers is kept, encrypted, beside the keys.
ALTER TABLE keys DROP CONSTRAINT keys_use_check,
                 ADD CONSTRAINT keys_use_check CHECK (use IN ('sig', 'seal', 'salt'));
