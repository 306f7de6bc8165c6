-- Who sells: what stands on every invoice of this platform. One row, or none yet.
CREATE TABLE seller (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  -- As JSON: it is always read and written whole, and printed.
  document   TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  version    INTEGER NOT NULL
);
