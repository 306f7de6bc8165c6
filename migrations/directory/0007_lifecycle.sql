-- Organizations that move to another database, and those that are gone.

CREATE TABLE moves (
  id              TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  source          INTEGER NOT NULL,
  target          INTEGER NOT NULL,
  -- What comes next; `done` and `failed` are the ends.
  step            TEXT NOT NULL CHECK (step IN ('copying', 'freezing', 'sealed', 'flipped', 'done', 'failed')),
  -- Where copying goes on, as JSON.
  position        TEXT NOT NULL,
  -- Rows by table, with their checksums, as they were found equal on both sides.
  checks          TEXT,
  attempts        INTEGER NOT NULL DEFAULT 0,
  last_error      TEXT,
  started_at      INTEGER NOT NULL,
  frozen_at       INTEGER,
  flipped_at      INTEGER,
  finished_at     INTEGER,
  -- Whoever works on it holds it until then, so that nobody else does.
  held_until      INTEGER NOT NULL DEFAULT 0,
  version         INTEGER NOT NULL DEFAULT 1
);
-- One move of an organization at a time.
CREATE UNIQUE INDEX moves_unfinished ON moves (organization_id) WHERE step NOT IN ('done', 'failed');
CREATE INDEX moves_by_organization ON moves (organization_id, id);

-- The record that an organization's data was erased. It names nobody.
CREATE TABLE erasures (
  id              TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL UNIQUE,
  shard           INTEGER NOT NULL,
  step            TEXT NOT NULL CHECK (step IN ('requested', 'fenced', 'counted', 'erased')),
  cancelled_at    INTEGER NOT NULL,
  requested_at    INTEGER NOT NULL,
  finished_at     INTEGER,
  -- Rows by store and table, as JSON.
  counts          TEXT,
  -- What the law wants kept of each invoice: its number, dates, currency and total. No names.
  invoices        TEXT,
  -- SHA-256 over all of the above and the hash of the record before.
  hash            TEXT
);
CREATE INDEX erasures_unfinished ON erasures (requested_at) WHERE step <> 'erased';
