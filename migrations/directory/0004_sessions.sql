-- How often the endpoints without credentials were asked lately. A bucket that is not here is full.
CREATE TABLE throttles (
  -- A MAC of the endpoint and of the address or target.
  bucket  TEXT PRIMARY KEY,
  full_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX throttles_full ON throttles (full_at);

-- Logins that were asked for. The code and the link are made from the id and the server's secret, so neither is stored.
CREATE TABLE logins (
  id         TEXT PRIMARY KEY,
  -- In lower case; of somebody we know or not: the request doesn't look.
  email      TEXT NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Its mail was sent, or there was nobody to send it to.
  mailed_at  INTEGER,
  used_at    INTEGER
);
CREATE INDEX logins_by_email ON logins (email, created_at);
CREATE INDEX logins_to_mail ON logins (created_at) WHERE mailed_at IS NULL;
CREATE INDEX logins_by_expiry ON logins (expires_at);

-- The second factor of a person: a generator of codes (TOTP), the same in every organization.
CREATE TABLE second_factors (
  person_id      TEXT PRIMARY KEY REFERENCES people (id),
  -- The seed, sealed.
  seed           TEXT NOT NULL,
  -- NULL until a first code proved that the generator works: until then it protects nothing.
  confirmed_at   INTEGER,
  -- The step of the last code that was accepted: no code is good twice.
  last_step      INTEGER NOT NULL DEFAULT 0,
  -- A JSON list of the MACs of the recovery codes that are left.
  recovery_codes TEXT NOT NULL,
  created_at     INTEGER NOT NULL
);
