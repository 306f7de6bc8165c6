-- The vendor's plans. A version, once published, never changes; the built-in plans' first versions are code.

CREATE TABLE plan_versions (
  key             TEXT NOT NULL,
  version         INTEGER NOT NULL CHECK (version > 0),
  -- The whole version as `catalog::rules::Plan` writes it.
  document        TEXT NOT NULL,
  -- A custom contract is this organization's only.
  organization_id TEXT,
  published_at    INTEGER NOT NULL,
  PRIMARY KEY (key, version)
);

CREATE TRIGGER plan_versions_never_change BEFORE UPDATE ON plan_versions
BEGIN
  SELECT RAISE(ABORT, 'a published plan version never changes');
END;
