-- Metrics that the vendor defined, beside the built-in ones. Only ever added to: events were counted by a definition, so it never
-- changes, and the number of rows is the version of the whole.
CREATE TABLE metrics (
  number          INTEGER PRIMARY KEY,
  key             TEXT NOT NULL UNIQUE,
  name            TEXT,
  description     TEXT,
  aggregation     TEXT NOT NULL CHECK (aggregation IN ('count', 'sum', 'max', 'latest', 'unique', 'weighted_sum')),
  kind            TEXT NOT NULL CHECK (kind IN ('consumable', 'level')),
  -- The member of an event's metadata that a unique metric counts.
  unique_property TEXT,
  unit            TEXT,
  -- The CloudEvents type that is counted as this metric.
  event_type      TEXT UNIQUE,
  created_at      INTEGER NOT NULL,
  CHECK ((aggregation = 'unique') = (unique_property IS NOT NULL))
);

-- A row here is impossible: inserting one means that a read went stale, and takes the whole batch back.
CREATE TABLE stale_guards (
  fresh INTEGER NOT NULL CONSTRAINT fresh CHECK (fresh = 1)
);
