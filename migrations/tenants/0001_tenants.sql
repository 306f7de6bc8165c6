-- Everything of a tenant. Every table is keyed by (organization_id, ...); times are milliseconds since 1970, money is minor units.

CREATE TABLE organizations (
  organization_id     TEXT NOT NULL PRIMARY KEY,
  name                TEXT NOT NULL,
  email               TEXT NOT NULL,
  -- The optional fields of schema.org's Organization, as JSON.
  details             TEXT NOT NULL,
  settings            TEXT NOT NULL,
  status              TEXT NOT NULL CHECK (status IN ('active', 'onboarded', 'suspended', 'cancelled')),
  test_clock_id       TEXT,
  created_at          INTEGER NOT NULL,
  onboarded_at        INTEGER,
  version             INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE onboarding_items (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  key             TEXT NOT NULL,
  position        INTEGER NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('pending', 'completed')),
  completed_at    INTEGER,
  PRIMARY KEY (organization_id, key)
);

CREATE TABLE subscriptions (
  organization_id  TEXT NOT NULL REFERENCES organizations (organization_id),
  id               TEXT NOT NULL,
  plan             TEXT NOT NULL,
  plan_version     INTEGER NOT NULL,
  status           TEXT NOT NULL CHECK (status IN ('active', 'paused', 'suspended', 'cancelled')),
  is_trial         INTEGER NOT NULL CHECK (is_trial IN (0, 1)),
  trial_ends_at    INTEGER,
  started_at       INTEGER NOT NULL,
  ended_at         INTEGER,
  billing_period   TEXT NOT NULL CHECK (billing_period IN ('month', 'year')),
  time_zone        TEXT NOT NULL,
  -- Periods are counted from here; NULL while on trial.
  anchored_at      INTEGER,
  period_index     INTEGER NOT NULL DEFAULT 0,
  period_starts_at INTEGER NOT NULL,
  period_ends_at   INTEGER NOT NULL,
  -- The billing run takes the subscription up at this instant; NULL when nothing more is to be billed.
  next_billing_at  INTEGER,
  payment_method   TEXT,
  auto_renew       INTEGER NOT NULL DEFAULT 1 CHECK (auto_renew IN (0, 1)),
  test_clock_id    TEXT,
  version          INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX subscriptions_due ON subscriptions (next_billing_at) WHERE next_billing_at IS NOT NULL;
-- One subscription an organization, for now: two sign-up steps can't make two.
CREATE UNIQUE INDEX subscriptions_current ON subscriptions (organization_id) WHERE ended_at IS NULL;

CREATE TABLE invoices (
  organization_id  TEXT NOT NULL,
  id               TEXT NOT NULL,
  subscription_id  TEXT NOT NULL,
  -- The gapless number; a draft has none yet.
  number           INTEGER,
  status           TEXT NOT NULL CHECK (status IN ('draft', 'due', 'paid', 'overdue', 'void', 'uncollectible')),
  currency         TEXT NOT NULL,
  total_minor      INTEGER NOT NULL CHECK (total_minor >= 0),
  lines            TEXT NOT NULL,
  -- What the Meter counted, whether or not it costs anything.
  usage            TEXT NOT NULL,
  period_starts_at INTEGER NOT NULL,
  period_ends_at   INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  issued_at        INTEGER,
  due_at           INTEGER,
  paid_at          INTEGER,
  version          INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id),
  -- However often a billing run is repeated or cut off: one invoice a subscription and period.
  UNIQUE (organization_id, subscription_id, period_starts_at),
  CHECK ((status = 'draft') = (number IS NULL))
);
CREATE INDEX invoices_by_number ON invoices (organization_id, number) WHERE number IS NOT NULL;

CREATE TABLE api_keys (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
  scopes          TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,
  revoked_at      INTEGER,
  PRIMARY KEY (organization_id, id)
);

-- The outbox: every fact, with what caused it. `dispatched_at` is set when all that follows from it is done or parked.
CREATE TABLE events (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  type            TEXT NOT NULL,
  version         INTEGER NOT NULL,
  data            TEXT NOT NULL,
  occurred_at     INTEGER NOT NULL,
  recorded_at     INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  dispatched_at   INTEGER,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX events_pending ON events (next_attempt_at) WHERE dispatched_at IS NULL;

-- What each step made of each event: `done` is claimed in the step's own commit, so that it takes effect once.
CREATE TABLE reaction_runs (
  organization_id TEXT NOT NULL,
  event_id        TEXT NOT NULL,
  step            TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('done', 'retrying', 'parked')),
  attempts        INTEGER NOT NULL,
  last_error      TEXT,
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, event_id, step),
  FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);
CREATE INDEX reaction_runs_parked ON reaction_runs (updated_at) WHERE status = 'parked';

-- Facts that become true at `due_at`, in the organization's time.
CREATE TABLE due_events (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  due_at          INTEGER NOT NULL,
  type            TEXT NOT NULL,
  version         INTEGER NOT NULL,
  data            TEXT NOT NULL,
  test_clock_id   TEXT,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX due_events_by_time ON due_events (due_at) WHERE test_clock_id IS NULL;
CREATE INDEX due_events_by_clock ON due_events (test_clock_id, due_at) WHERE test_clock_id IS NOT NULL;

-- Outgoing mails, each for one reason. Sent by the `email` queue.
CREATE TABLE mails (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  recipient       TEXT NOT NULL,
  template        TEXT NOT NULL,
  reason          TEXT NOT NULL,
  data            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  sent_at         INTEGER,
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  last_error      TEXT,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, reason)
);
CREATE INDEX mails_pending ON mails (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE TABLE audit_log (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  at              INTEGER NOT NULL,
  actor           TEXT NOT NULL,
  action          TEXT NOT NULL,
  target          TEXT NOT NULL,
  before          TEXT,
  after           TEXT,
  request_id      TEXT,
  PRIMARY KEY (organization_id, id)
);

CREATE TABLE idempotency_keys (
  organization_id TEXT NOT NULL,
  key             TEXT NOT NULL,
  fingerprint     TEXT NOT NULL,
  status          INTEGER NOT NULL,
  body            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, key)
);

-- A row here is impossible: inserting one means that a read went stale, and takes the whole batch back.
CREATE TABLE stale_guards (
  organization_id TEXT NOT NULL,
  fresh           INTEGER NOT NULL CONSTRAINT fresh CHECK (fresh = 1),
  PRIMARY KEY (organization_id, fresh)
);
