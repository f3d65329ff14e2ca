-- The administrator who made a link, by name, as its page tells whoever opens it.
ALTER TABLE recovery_links ADD COLUMN issued_by text;
