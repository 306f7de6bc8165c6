-- Whose keys they are, when they were last used, and the machines that get access tokens.

-- Who made it: `platform`, or the id of a person, a key or a client. NULL: made before this was recorded.
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
-- The person in whose hands it is: who made it, or made the key with which it was made. It ends with their membership.
ALTER TABLE api_keys ADD COLUMN person_id TEXT;
-- Outside of the hot path, and to a few minutes; the Meter knows of the hot path.
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
CREATE INDEX api_keys_by_person ON api_keys (organization_id, person_id) WHERE person_id IS NOT NULL;

-- Machines that get access tokens with a secret. The secret carries a MAC, so none is here.
CREATE TABLE oauth_clients (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
  -- A JSON list of permissions.
  scopes          TEXT NOT NULL,
  -- Which secret is good: each rotation makes the next one.
  generation      INTEGER NOT NULL,
  -- Until when the secret before it is good, too.
  previous_until  INTEGER,
  created_by      TEXT NOT NULL,
  person_id       TEXT,
  created_at      INTEGER NOT NULL,
  revoked_at      INTEGER,
  last_used_at    INTEGER,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX oauth_clients_by_person ON oauth_clients (organization_id, person_id) WHERE person_id IS NOT NULL;
