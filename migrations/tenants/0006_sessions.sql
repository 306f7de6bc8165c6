-- Logins of people in this organization.
CREATE TABLE sessions (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  person_id       TEXT NOT NULL,
  -- The refresh token that is good: each refresh makes the next one.
  generation      INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  -- The last login or refresh. A session that is in use is refreshed every ten minutes.
  last_used_at    INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  ip              TEXT,
  user_agent      TEXT,
  ended_at        INTEGER,
  ended_because   TEXT CHECK (ended_because IN ('logged_out', 'revoked', 'token_reused', 'membership_ended')),
  PRIMARY KEY (organization_id, id),
  CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_by_person ON sessions (organization_id, person_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
