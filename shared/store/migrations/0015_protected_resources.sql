-- Protected resources (RFC 8707), by the canonical form of their identifiers.
-- Grants name those that they are for in grants.claims, by that form.
CREATE TABLE protected_resources (
    resource_key text PRIMARY KEY,
    name_key     text NOT NULL UNIQUE,               -- the name in lower case
    description  jsonb NOT NULL,                     -- as operators write it
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
