-- Usage by the hour, for charts. The Meters hold the truth and bring it here: a bucket is replaced by its later versions only, so that
-- one that comes twice, late or in the wrong order changes nothing. Quantities are decimal texts.
-- An hour in which a billing period ends has a bucket for each of both periods.
CREATE TABLE usage_buckets (
  organization_id  TEXT NOT NULL,
  metric           TEXT NOT NULL,
  hour             INTEGER NOT NULL,
  period_starts_at INTEGER NOT NULL,
  count            INTEGER NOT NULL,
  sum              TEXT NOT NULL,
  max              TEXT NOT NULL,
  last             TEXT NOT NULL,
  last_at          INTEGER NOT NULL,
  uniques          INTEGER NOT NULL,
  version          INTEGER NOT NULL,
  PRIMARY KEY (organization_id, metric, hour, period_starts_at)
);
