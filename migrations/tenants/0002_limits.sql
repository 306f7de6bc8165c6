-- What the vendor agreed with one organization beside its plan. Quantities are decimal text.

-- Grows by one with each change of what follows, so that the Meter never goes back to an older state.
CREATE TABLE limit_versions (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  version         INTEGER NOT NULL
);

-- Limits that replace the plan's.
CREATE TABLE limit_overrides (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  metric          TEXT NOT NULL,
  -- NULL: unlimited.
  quantity        TEXT,
  enforcement     TEXT NOT NULL CHECK (enforcement IN ('hard', 'soft')),
  reason          TEXT,
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, metric)
);

-- Extra allowance on top of the limit, for a time or for good. A revoked one stays, so that lists can be paged past it.
CREATE TABLE grants (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  metric          TEXT NOT NULL,
  amount          TEXT NOT NULL,
  starts_at       INTEGER NOT NULL,
  -- NULL: for good.
  ends_at         INTEGER CHECK (ends_at > starts_at),
  reason          TEXT,
  created_at      INTEGER NOT NULL,
  revoked_at      INTEGER,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX grants_not_revoked ON grants (organization_id, ends_at) WHERE revoked_at IS NULL;
