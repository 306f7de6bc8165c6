-- The life of an organization beside its business: suspended, cancelled, moved to another database, exported.

-- Its credentials may read and not write.
CREATE TABLE suspensions (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  reason          TEXT NOT NULL,
  started_at      INTEGER NOT NULL
);

-- It leaves; its data is erased at `erases_at` unless the cancellation is withdrawn before.
CREATE TABLE cancellations (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  reason          TEXT,
  cancelled_at    INTEGER NOT NULL,
  erases_at       INTEGER NOT NULL
);

-- Where an organization may not be written here. `frozen`: for a moment, until what changed lately is copied; lapses by itself.
-- `left`: its rows here are no longer, or not yet, the truth. `gone`: it has no rows here any more. What writes tries to set `refuses` to 0.
CREATE TABLE fences (
  organization_id TEXT NOT NULL PRIMARY KEY,
  state           TEXT NOT NULL CHECK (state IN ('frozen', 'left', 'gone')),
  since           INTEGER NOT NULL,
  refuses         INTEGER NOT NULL DEFAULT 1 CONSTRAINT fenced CHECK (refuses = 1)
);
CREATE INDEX fences_left ON fences (organization_id) WHERE state = 'left';

-- Rows of an organization that is being moved here, as JSON, before they are put into their tables all at once.
CREATE TABLE arriving_rows (
  organization_id TEXT NOT NULL,
  table_name      TEXT NOT NULL,
  row_key         TEXT NOT NULL,
  row             TEXT NOT NULL,
  -- A row that the last pass did not meet was deleted meanwhile.
  pass            INTEGER NOT NULL,
  PRIMARY KEY (organization_id, table_name, row_key)
);

-- Everything of the organization as text, made in the background.
CREATE TABLE exports (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
  requested_by    TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  finished_at     INTEGER,
  -- The content is deleted then.
  expires_at      INTEGER,
  -- Where it goes on: which source, and after what of it.
  position        TEXT NOT NULL,
  -- Rows written so far, by table, and how many there were to write when it began.
  counts          TEXT NOT NULL,
  rows_expected   INTEGER NOT NULL,
  rows_written    INTEGER NOT NULL,
  chunks          INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  -- The state of the SHA-256 over all that was written; at the end the digest itself, in hex.
  digest          TEXT NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  last_error      TEXT,
  version         INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX exports_unfinished ON exports (created_at) WHERE status IN ('queued', 'running');
CREATE INDEX exports_kept ON exports (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE export_chunks (
  organization_id TEXT NOT NULL,
  export_id       TEXT NOT NULL,
  number          INTEGER NOT NULL,
  text            TEXT NOT NULL,
  PRIMARY KEY (organization_id, export_id, number),
  FOREIGN KEY (organization_id, export_id) REFERENCES exports (organization_id, id)
);
