-- The directory: what is needed before the organization is known, and what is the vendor's. Times are milliseconds since 1970.

-- src/kernel

-- Answers to requests of the vendor that name no organization.
CREATE TABLE idempotency_keys (
  key         TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  status      INTEGER NOT NULL,
  body        TEXT NOT NULL,
  created_at  INTEGER NOT NULL
);

-- A row here is impossible: inserting one means that a read went stale, and takes the whole batch back.
CREATE TABLE stale_guards (
  fresh INTEGER NOT NULL CONSTRAINT fresh CHECK (fresh = 1)
);

-- The platform's audit log: what the vendor does beside any organization. It has the shape of an organization's, so that both are written,
-- read and verified alike.
CREATE TABLE audit_log (
  organization_id TEXT NOT NULL CHECK (organization_id = 'platform'),
  sequence        INTEGER NOT NULL CHECK (sequence >= 1),
  at              INTEGER NOT NULL,
  actor           TEXT NOT NULL,
  resource        TEXT NOT NULL,
  action          TEXT NOT NULL,
  target          TEXT NOT NULL,
  entry           TEXT NOT NULL,
  hash            TEXT NOT NULL,
  PRIMARY KEY (organization_id, sequence)
);
CREATE INDEX audit_log_by_time ON audit_log (organization_id, at, sequence);
CREATE INDEX audit_log_by_actor ON audit_log (organization_id, actor, sequence);
CREATE INDEX audit_log_by_resource ON audit_log (organization_id, resource, sequence);
CREATE INDEX audit_log_by_target ON audit_log (organization_id, target, sequence);

CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- src/sealing

-- Keys under which secrets are sealed: one for each organization and one for the platform, wrapped by a master key. Deleting a row makes
-- everything sealed under it unreadable for good.
CREATE TABLE sealing_keys (
  id         TEXT PRIMARY KEY,
  -- The organization's id, or `platform`.
  scope      TEXT NOT NULL UNIQUE,
  -- Which master key wraps it.
  master     TEXT NOT NULL,
  wrapped    TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX sealing_keys_by_master ON sealing_keys (master, id);

-- src/identity

-- People, before their organization is known: one human, one email. Their profiles and roles are each organization's own.
CREATE TABLE people (
  id                TEXT PRIMARY KEY,
  -- In lower case.
  email             TEXT NOT NULL UNIQUE,
  email_verified_at INTEGER,
  last_login_at     INTEGER,
  created_at        INTEGER NOT NULL
);

-- Where a person may be a member: entered before the organization's own database has it, removed after it has not. Whether they are one,
-- only that database knows.
CREATE TABLE memberships (
  person_id       TEXT NOT NULL REFERENCES people (id),
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  PRIMARY KEY (person_id, organization_id)
);
CREATE INDEX memberships_by_organization ON memberships (organization_id);

-- Logins that were asked for. The code and the link are made from the id and the server's secret, so neither is stored.
CREATE TABLE logins (
  id         TEXT PRIMARY KEY,
  -- In lower case; of somebody we know or not: the request doesn't look.
  email      TEXT NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Its mail was sent, or there was nobody to send it to.
  mailed_at  INTEGER,
  used_at    INTEGER
);
CREATE INDEX logins_by_email ON logins (email, created_at);
CREATE INDEX logins_to_mail ON logins (created_at) WHERE mailed_at IS NULL;
CREATE INDEX logins_by_expiry ON logins (expires_at);

-- The second factor of a person: a generator of codes (TOTP), the same in every organization.
CREATE TABLE second_factors (
  person_id      TEXT PRIMARY KEY REFERENCES people (id),
  -- The seed, sealed.
  seed           TEXT NOT NULL,
  -- NULL until a first code proved that the generator works: until then it protects nothing.
  confirmed_at   INTEGER,
  -- The step of the last code that was accepted: no code is good twice.
  last_step      INTEGER NOT NULL DEFAULT 0,
  -- A JSON list of the MACs of the recovery codes that are left.
  recovery_codes TEXT NOT NULL,
  created_at     INTEGER NOT NULL
);

-- How often the endpoints without credentials were asked lately. A bucket that is not here is full.
CREATE TABLE throttles (
  -- A MAC of the endpoint and of the address or target.
  bucket  TEXT PRIMARY KEY,
  full_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX throttles_full ON throttles (full_at);

-- The vendor's keys beside the configured root key. Their text carries a MAC, so no secret is here.
CREATE TABLE platform_keys (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  created_by   TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER
);

-- Keys that sign access tokens. The newest one whose time to sign has come signs; those before it verify until the last token that they
-- signed has expired.
CREATE TABLE signing_keys (
  id          TEXT PRIMARY KEY,
  public_key  TEXT NOT NULL,
  -- Sealed.
  private_key TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  signs_from  INTEGER NOT NULL
);

-- The origins of the browser applications that may call the API. One row, or none yet.
CREATE TABLE allowed_origins (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  -- As JSON: the list is always read and written whole.
  origins    TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  version    INTEGER NOT NULL
);

-- src/catalog

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

-- Plans of the vendor. A version, once published, never changes; the built-in plans' first versions are code.
CREATE TABLE plan_versions (
  key             TEXT NOT NULL,
  version         INTEGER NOT NULL CHECK (version > 0),
  -- The whole version, as JSON.
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

-- How a plan is offered, built-in plans included; without a row: active and public.
CREATE TABLE plan_offers (
  key        TEXT PRIMARY KEY,
  status     TEXT NOT NULL CHECK (status IN ('active', 'archived')),
  visibility TEXT NOT NULL CHECK (visibility IN ('public', 'hidden')),
  updated_at INTEGER NOT NULL
);

-- src/tenancy

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

-- Moves of organizations to another database.
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
  -- The worker that holds the move does its next step until then; no other one does.
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

-- src/billing

-- The seller, who stands on every invoice of this platform. One row, or none yet.
CREATE TABLE seller (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  -- As JSON: it is always read and written whole, and printed.
  document   TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  version    INTEGER NOT NULL
);

-- src/delivery

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

-- src/operations

-- Clocks that stand still until they are advanced.
CREATE TABLE test_clocks (
  id         TEXT PRIMARY KEY,
  now        INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);

-- src/jobs

-- Queue messages that kept failing. They are listed among the dead letters and replayed with one call.
CREATE TABLE dead_letters (
  id          TEXT PRIMARY KEY,
  queue       TEXT NOT NULL,
  body        TEXT NOT NULL,
  given_up_at INTEGER NOT NULL
);
