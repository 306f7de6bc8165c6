-- The directory: what is needed before the tenant is known.

-- Where each organization lives. `provisioning` until its own database has it; the sweep finishes what was cut off.
CREATE TABLE organizations (
  id            TEXT PRIMARY KEY,
  shard         INTEGER NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('provisioning', 'placed')),
  test_clock_id TEXT REFERENCES test_clocks (id),
  -- The organization as it was asked for, so that a cut-off sign-up can be finished.
  request       TEXT NOT NULL,
  created_at    INTEGER NOT NULL
);
CREATE INDEX organizations_provisioning ON organizations (created_at) WHERE status = 'provisioning';
CREATE INDEX organizations_by_test_clock ON organizations (test_clock_id, id) WHERE test_clock_id IS NOT NULL;

-- Clocks that stand still until they are advanced.
CREATE TABLE test_clocks (
  id         TEXT PRIMARY KEY,
  now        INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);

-- Answers to requests of the vendor that name no organization.
CREATE TABLE idempotency_keys (
  key         TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  status      INTEGER NOT NULL,
  body        TEXT NOT NULL,
  created_at  INTEGER NOT NULL
);

-- What the local mailer would have sent; empty in production.
CREATE TABLE local_mails (
  id              TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  recipient       TEXT NOT NULL,
  template        TEXT NOT NULL,
  subject         TEXT NOT NULL,
  text            TEXT NOT NULL,
  html            TEXT NOT NULL,
  data            TEXT NOT NULL,
  sent_at         INTEGER NOT NULL
);
CREATE INDEX local_mails_by_recipient ON local_mails (recipient, sent_at);

-- Queue messages that kept failing. Visible at /v1/parked, replayable with one call.
CREATE TABLE parked_messages (
  id        TEXT PRIMARY KEY,
  queue     TEXT NOT NULL,
  body      TEXT NOT NULL,
  parked_at INTEGER NOT NULL
);
