-- Keys of our own: under which secrets are sealed, with which tokens are signed, and with which the vendor calls.

-- One key for each organization and one for the platform, wrapped by a master key. Deleting a row makes all that was sealed under it
-- unreadable for good.
CREATE TABLE sealing_keys (
  id         TEXT PRIMARY KEY,
  -- The organization's id, or `platform`.
  scope      TEXT NOT NULL UNIQUE,
  -- Which master key wraps it.
  master     TEXT NOT NULL,
  wrapped    TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX sealing_keys_by_master ON sealing_keys (master, id);

-- The newest one whose time to sign has come signs; those before it verify until the last token that they signed has expired.
CREATE TABLE signing_keys (
  id          TEXT PRIMARY KEY,
  public_key  TEXT NOT NULL,
  -- Sealed.
  private_key TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  signs_from  INTEGER NOT NULL
);

-- The vendor's keys beside the configured root key. Their text carries a MAC, so no secret is here.
CREATE TABLE platform_keys (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  created_by   TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER
);
