-- Features that one organization has, or lacks, whatever its plan says.

CREATE TABLE entitlement_overrides (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  key             TEXT NOT NULL,
  -- JSON: true, false or a text.
  value           TEXT NOT NULL,
  reason          TEXT,
  updated_at      INTEGER NOT NULL,
  version         INTEGER NOT NULL,
  PRIMARY KEY (organization_id, key)
);

-- Who subscribes to a version of a plan, for moving them to another one.
CREATE INDEX subscriptions_by_version ON subscriptions (plan, plan_version, organization_id) WHERE ended_at IS NULL;
