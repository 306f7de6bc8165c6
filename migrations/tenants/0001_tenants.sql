-- Everything of an organization. Each table is keyed by (organization_id, ...). Times are milliseconds since 1970, money is minor units,
-- quantities are decimal text. A table stands in the group of `src/` whose code owns it.

-- src/kernel

-- The outbox: every fact. `dispatched_at` is set when each step that follows from it is done or given up.
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
-- What is pending for one organization, however many facts it has had.
CREATE INDEX events_waiting ON events (organization_id, id) WHERE dispatched_at IS NULL;

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

-- The audit log, a chain: each entry's hash is of the hash before it and of the entry's text.
CREATE TABLE audit_log (
  organization_id TEXT NOT NULL,
  -- 1, 2, 3, … of this organization. Two commits that both append number n: the second is taken back, and appends behind the first.
  sequence        INTEGER NOT NULL CHECK (sequence >= 1),
  -- What is searched for. Never goes back from one entry to the next.
  at              INTEGER NOT NULL,
  actor           TEXT NOT NULL,
  -- The action up to its dot.
  resource        TEXT NOT NULL,
  action          TEXT NOT NULL,
  target          TEXT NOT NULL,
  -- The entry as canonical JSON (RFC 8785): the very text that was hashed.
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

-- It goes when the whole organization has gone from this database, and not before: an erasure deletes it last.
CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
WHEN EXISTS (SELECT 1 FROM organizations WHERE organization_id = OLD.organization_id)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Stored answers to requests, by their idempotency key.
CREATE TABLE idempotency_keys (
  organization_id TEXT NOT NULL,
  key             TEXT NOT NULL,
  fingerprint     TEXT NOT NULL,
  status          INTEGER NOT NULL,
  body            TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, key)
);
-- Finds what is old enough to be deleted without reading the rest.
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

-- A row here is impossible: inserting one means that a read went stale, and takes the whole batch back.
CREATE TABLE stale_guards (
  organization_id TEXT NOT NULL,
  fresh           INTEGER NOT NULL CONSTRAINT fresh CHECK (fresh = 1),
  PRIMARY KEY (organization_id, fresh)
);

-- Organizations that may not be written here. `frozen`: for a moment, until what changed lately is copied; lapses by itself.
-- `left`: its rows here are no longer, or not yet, the truth. `gone`: it has no rows here any more. Each write tries to set `refuses` to 0.
CREATE TABLE fences (
  organization_id TEXT NOT NULL PRIMARY KEY,
  state           TEXT NOT NULL CHECK (state IN ('frozen', 'left', 'gone')),
  since           INTEGER NOT NULL,
  refuses         INTEGER NOT NULL DEFAULT 1 CONSTRAINT fenced CHECK (refuses = 1)
);
CREATE INDEX fences_left ON fences (organization_id) WHERE state = 'left';

-- src/identity

-- The people of the organization.
CREATE TABLE members (
  organization_id   TEXT NOT NULL REFERENCES organizations (organization_id),
  -- The person, the same one in every organization they belong to.
  id                TEXT NOT NULL,
  email             TEXT NOT NULL,
  -- The profile is this organization's own.
  given_name        TEXT,
  family_name       TEXT,
  job_title         TEXT,
  telephone         TEXT,
  -- The organization-wide role; NULL: on teams only.
  role              TEXT,
  invited_by        TEXT,
  joined_at         INTEGER NOT NULL,
  email_verified_at INTEGER,
  -- Into this organization; NULL where there was none.
  last_login_at     INTEGER,
  version           INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, email)
);
CREATE INDEX members_by_joining ON members (organization_id, joined_at, id);
CREATE INDEX members_by_role ON members (organization_id, role, joined_at, id);

-- How many members there are, with a version that grows with each change of members or of pending invitations, so that the Meter never
-- goes back to an older state.
CREATE TABLE seats (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  taken           INTEGER NOT NULL CHECK (taken >= 0),
  version         INTEGER NOT NULL,
  -- The version that the Meter is known to have.
  meter_version   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX seats_outdated ON seats (organization_id) WHERE meter_version < version;

-- Invitations to become a member.
CREATE TABLE invitations (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  email           TEXT NOT NULL,
  role            TEXT,
  -- A JSON list of {"team", "role"}.
  teams           TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'revoked', 'expired')),
  -- Only the token of the last mail opens it.
  generation      INTEGER NOT NULL DEFAULT 1,
  invited_by      TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  ended_at        INTEGER,
  -- The seat that the Meter holds for it.
  seat            TEXT NOT NULL,
  version         INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX invitations_pending ON invitations (organization_id, email) WHERE status = 'pending';

-- Teams, a tree.
CREATE TABLE teams (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
  -- The name in lower case, for filters by how it begins.
  search_name     TEXT NOT NULL DEFAULT '',
  description     TEXT,
  parent_id       TEXT,
  -- The ids from the topmost team down to this one, each followed by a slash: what is below a team begins with its path.
  path            TEXT NOT NULL,
  depth           INTEGER NOT NULL,
  -- {"allowedRoles": [...] or null, "defaultRole": ... or null}
  settings        TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  version         INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, parent_id) REFERENCES teams (organization_id, id)
);
CREATE UNIQUE INDEX teams_by_path ON teams (organization_id, path);
CREATE INDEX teams_by_parent ON teams (organization_id, parent_id, id);
CREATE INDEX teams_by_name ON teams (organization_id, search_name, id);

-- Roles held on a team, and so on the teams below it.
CREATE TABLE team_members (
  organization_id TEXT NOT NULL,
  team_id         TEXT NOT NULL,
  person_id       TEXT NOT NULL,
  role            TEXT NOT NULL,
  assigned_by     TEXT NOT NULL,
  start_date      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, team_id, person_id),
  FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id),
  FOREIGN KEY (organization_id, person_id) REFERENCES members (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX team_members_by_person ON team_members (organization_id, person_id, team_id);
CREATE INDEX team_members_by_role ON team_members (organization_id, role);
-- Who is on a team, by when they came.
CREATE INDEX team_members_by_start ON team_members (organization_id, team_id, start_date, person_id);

-- Roles that the organization defined beside the built-in ones.
CREATE TABLE roles (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  key             TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  -- A JSON list of permissions.
  permissions     TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  version         INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, key)
);

-- Logins of people in this organization.
CREATE TABLE sessions (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  person_id       TEXT NOT NULL,
  -- The refresh token that is good: each refresh makes the next one.
  generation      INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  -- The last login or refresh. A session that is in use is refreshed every ten minutes.
  last_used_at    INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  ip              TEXT,
  user_agent      TEXT,
  ended_at        INTEGER,
  ended_because   TEXT CHECK (ended_because IN ('logged_out', 'revoked', 'token_reused', 'membership_ended')),
  PRIMARY KEY (organization_id, id),
  CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_by_person ON sessions (organization_id, person_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- API keys of the organization. A key's text carries a MAC, so no secret is here.
CREATE TABLE api_keys (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
  -- A JSON list of permissions.
  scopes          TEXT NOT NULL,
  -- Who made it: `platform`, or the id of a person, a key or a client.
  created_by      TEXT,
  -- The person in whose hands it is: who made it, or made the key with which it was made. It ends with their membership.
  person_id       TEXT,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,
  revoked_at      INTEGER,
  -- Outside of the hot path, and to a few minutes; the Meter knows of the hot path.
  last_used_at    INTEGER,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX api_keys_by_person ON api_keys (organization_id, person_id) WHERE person_id IS NOT NULL;

-- Machines that get access tokens with a secret. The secret carries a MAC, so none is here.
CREATE TABLE oauth_clients (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
  -- A JSON list of permissions.
  scopes          TEXT NOT NULL,
  -- Which secret is good: each rotation makes the next one.
  generation      INTEGER NOT NULL,
  -- Until when the secret before it is good, too.
  previous_until  INTEGER,
  created_by      TEXT NOT NULL,
  person_id       TEXT,
  created_at      INTEGER NOT NULL,
  revoked_at      INTEGER,
  last_used_at    INTEGER,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX oauth_clients_by_person ON oauth_clients (organization_id, person_id) WHERE person_id IS NOT NULL;

-- src/tenancy

-- The organization itself: one row.
CREATE TABLE organizations (
  organization_id TEXT NOT NULL PRIMARY KEY,
  name            TEXT NOT NULL,
  email           TEXT NOT NULL,
  -- The optional fields of schema.org's Organization, as JSON.
  details         TEXT NOT NULL,
  settings        TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('active', 'onboarded', 'suspended', 'cancelled')),
  test_clock_id   TEXT,
  created_at      INTEGER NOT NULL,
  onboarded_at    INTEGER,
  version         INTEGER NOT NULL DEFAULT 1
);

-- A suspension of the organization: its credentials may read and not write.
CREATE TABLE suspensions (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  reason          TEXT NOT NULL,
  started_at      INTEGER NOT NULL
);

-- A cancellation of the organization: its data is erased at `erases_at` unless the cancellation is withdrawn before.
CREATE TABLE cancellations (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  reason          TEXT,
  cancelled_at    INTEGER NOT NULL,
  erases_at       INTEGER NOT NULL
);

-- The steps of its onboarding.
CREATE TABLE onboarding_items (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  key             TEXT NOT NULL,
  position        INTEGER NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('pending', 'completed')),
  completed_at    INTEGER,
  PRIMARY KEY (organization_id, key)
);

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

-- src/metering

-- Usage by the hour, for charts. The Meters hold the truth and bring it here: a bucket is replaced by its later versions only, so that
-- one that comes twice, late or in the wrong order changes nothing. An hour in which a billing period ends has a bucket for each of both
-- periods.
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

-- Grows by one with each change of limits or grants, so that the Meter never goes back to an older state.
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

-- src/accounting

-- The ledger: each money fact is one entry, whose postings sum to zero. An entry is never changed: another one corrects it.
CREATE TABLE journal_entries (
  organization_id TEXT NOT NULL,
  -- Stands for the kind and the source: a fact that is posted twice is refused by this key.
  id              TEXT NOT NULL,
  -- 1, 2, 3, … of this organization, in the order of the commits.
  sequence        INTEGER NOT NULL CHECK (sequence >= 1),
  kind            TEXT NOT NULL,
  -- What it was posted for: the id of an invoice, a payment, a credit.
  source          TEXT NOT NULL,
  -- The invoice whose money it moves, if it is about one.
  invoice_id      TEXT,
  currency        TEXT NOT NULL,
  -- In the organization's time.
  at              INTEGER NOT NULL,
  description     TEXT,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, sequence),
  UNIQUE (organization_id, source, kind)
);
CREATE INDEX journal_entries_by_invoice ON journal_entries (organization_id, invoice_id, sequence) WHERE invoice_id IS NOT NULL;

CREATE TRIGGER journal_entries_never_change BEFORE UPDATE ON journal_entries
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- The postings of an entry. Debits are above zero, credits below.
CREATE TABLE postings (
  organization_id TEXT NOT NULL,
  entry_id        TEXT NOT NULL,
  account         TEXT NOT NULL,
  currency        TEXT NOT NULL,
  -- What a JavaScript number holds exactly, as everywhere.
  amount_minor    INTEGER NOT NULL CHECK (amount_minor <> 0 AND abs(amount_minor) <= 9007199254740991),
  PRIMARY KEY (organization_id, entry_id, account),
  FOREIGN KEY (organization_id, entry_id) REFERENCES journal_entries (organization_id, id)
);

CREATE TRIGGER postings_never_change BEFORE UPDATE ON postings
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- The sums of the postings, kept in the batch that posts. An audit computes them again.
CREATE TABLE ledger_balances (
  organization_id TEXT NOT NULL,
  currency        TEXT NOT NULL,
  account         TEXT NOT NULL,
  balance_minor   INTEGER NOT NULL CHECK (abs(balance_minor) <= 9007199254740991),
  PRIMARY KEY (organization_id, currency, account)
);

-- A row here is impossible: inserting one means that an entry does not sum to zero, and takes the whole batch back.
CREATE TABLE ledger_guards (
  organization_id TEXT NOT NULL,
  balanced        INTEGER NOT NULL CONSTRAINT balanced CHECK (balanced = 1),
  PRIMARY KEY (organization_id, balanced)
);

-- Money that a customer has with the seller.
CREATE TABLE credits (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  source          TEXT NOT NULL CHECK (source IN ('promotional', 'purchased', 'invoice', 'credit_note')),
  currency        TEXT NOT NULL,
  amount_minor    INTEGER NOT NULL CHECK (amount_minor > 0),
  left_minor      INTEGER NOT NULL CHECK (left_minor >= 0),
  -- What of it expired or was taken back.
  lapsed_minor    INTEGER NOT NULL DEFAULT 0 CHECK (lapsed_minor >= 0),
  -- Lower ones are drawn first; NULL last.
  priority        INTEGER,
  reason          TEXT,
  -- The invoice or the credit note that it came from.
  origin          TEXT,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,
  ended_at        INTEGER,
  version         INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id),
  CHECK (left_minor + lapsed_minor <= amount_minor),
  CHECK (ended_at IS NULL OR left_minor = 0)
);
CREATE INDEX credits_open ON credits (organization_id, id) WHERE left_minor > 0;

-- src/billing

-- Subscriptions of any plan, interval and quantity.
CREATE TABLE subscriptions (
  organization_id  TEXT NOT NULL REFERENCES organizations (organization_id),
  id               TEXT NOT NULL,
  plan             TEXT NOT NULL,
  plan_version     INTEGER NOT NULL,
  billing_period   TEXT NOT NULL CHECK (billing_period IN ('month', 'year')),
  quantity         INTEGER NOT NULL CHECK (quantity > 0),
  -- By key, how many.
  add_ons          TEXT NOT NULL,
  currency         TEXT NOT NULL,
  status           TEXT NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'paused', 'suspended', 'cancelled', 'expired')),
  trial_ends_at    INTEGER,
  started_at       INTEGER NOT NULL,
  ended_at         INTEGER,
  time_zone        TEXT NOT NULL,
  -- Periods are counted from here; NULL while on trial.
  anchored_at      INTEGER,
  -- The usage period: a month, or the trial.
  period_index     INTEGER NOT NULL,
  period_starts_at INTEGER NOT NULL,
  period_ends_at   INTEGER NOT NULL,
  -- Starts of the usage periods before, in milliseconds.
  earlier_periods  TEXT NOT NULL,
  -- The billing run takes the subscription up at this instant; NULL when nothing more is to be billed.
  next_billing_at  INTEGER,
  scheduled        TEXT,
  cancellation     TEXT,
  pause            TEXT,
  -- What was charged in advance and may still be credited.
  advance          TEXT NOT NULL,
  -- By metric, what is billed already of the present usage period.
  usage_billed     TEXT NOT NULL,
  payment_method   TEXT,
  auto_renew       INTEGER NOT NULL CHECK (auto_renew IN (0, 1)),
  test_clock_id    TEXT,
  version          INTEGER NOT NULL,
  PRIMARY KEY (organization_id, id),
  CHECK ((status IN ('cancelled', 'expired')) = (ended_at IS NOT NULL))
);
-- One subscription an organization at a time: two sign-up steps can't make two.
CREATE UNIQUE INDEX subscriptions_current ON subscriptions (organization_id) WHERE ended_at IS NULL;
CREATE INDEX subscriptions_due ON subscriptions (next_billing_at, organization_id, id)
  WHERE next_billing_at IS NOT NULL AND test_clock_id IS NULL;
CREATE INDEX subscriptions_due_on_clock ON subscriptions (test_clock_id, next_billing_at, organization_id, id)
  WHERE next_billing_at IS NOT NULL AND test_clock_id IS NOT NULL;
-- Who subscribes to a version of a plan, for moving them to another one.
CREATE INDEX subscriptions_by_version ON subscriptions (plan, plan_version, organization_id) WHERE ended_at IS NULL;

-- What a subscription was, from when on: the plan of any instant, for late usage, proofs and simulations.
CREATE TABLE subscription_phases (
  organization_id TEXT NOT NULL,
  subscription_id TEXT NOT NULL,
  starts_at       INTEGER NOT NULL,
  plan            TEXT NOT NULL,
  plan_version    INTEGER NOT NULL,
  billing_period  TEXT NOT NULL,
  quantity        INTEGER NOT NULL,
  add_ons         TEXT NOT NULL,
  PRIMARY KEY (organization_id, subscription_id, starts_at),
  FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id)
);

-- A subscription whose billing failed, until it succeeds. `next_attempt_at` is its pause's end by the wall clock; one that was
-- given up has none.
CREATE TABLE billing_failures (
  organization_id TEXT NOT NULL,
  subscription_id TEXT NOT NULL,
  attempts        INTEGER NOT NULL,
  last_error      TEXT NOT NULL,
  failed_at       INTEGER NOT NULL,
  next_attempt_at INTEGER,
  given_up_at     INTEGER,
  PRIMARY KEY (organization_id, subscription_id),
  FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id),
  CHECK ((next_attempt_at IS NULL) = (given_up_at IS NOT NULL))
);
CREATE INDEX billing_failures_pausing ON billing_failures (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX billing_failures_dead ON billing_failures (given_up_at) WHERE given_up_at IS NOT NULL;

-- Invoices with their lines, discounts, taxes and credits.
CREATE TABLE invoices (
  organization_id  TEXT NOT NULL,
  id               TEXT NOT NULL,
  subscription_id  TEXT NOT NULL,
  -- Why it was made, and what makes it the only one: the period it opens, the change it bills.
  billing_reason   TEXT NOT NULL CHECK (
    billing_reason IN (
      'subscription_create', 'subscription_cycle', 'subscription_update', 'subscription_threshold', 'subscription_end', 'late_usage'
    )
  ),
  reason_key       TEXT NOT NULL,
  -- The gapless number; a draft has none yet.
  number           INTEGER,
  status           TEXT NOT NULL CHECK (status IN ('draft', 'due', 'paid', 'overdue', 'void', 'uncollectible')),
  currency         TEXT NOT NULL,
  -- The lines before discounts; may be below zero.
  subtotal_minor   INTEGER NOT NULL,
  discount_minor   INTEGER NOT NULL CHECK (discount_minor >= 0),
  -- Taxes on top of the lines and contained in them.
  tax_minor        INTEGER NOT NULL,
  -- What it costs with everything, never below zero: what is below is `carried_minor`, and becomes credit.
  total_minor      INTEGER NOT NULL CHECK (total_minor >= 0),
  carried_minor    INTEGER NOT NULL CHECK (carried_minor >= 0),
  -- Paid by credit when it was made, paid since, and taken back by credit notes before it was paid.
  credit_minor     INTEGER NOT NULL CHECK (credit_minor >= 0),
  paid_minor       INTEGER NOT NULL DEFAULT 0 CHECK (paid_minor >= 0),
  reduced_minor    INTEGER NOT NULL DEFAULT 0 CHECK (reduced_minor >= 0),
  lines            TEXT NOT NULL,
  -- What the Meter counted, whether or not it costs anything.
  usage            TEXT NOT NULL,
  discounts        TEXT NOT NULL,
  taxes            TEXT NOT NULL,
  credits          TEXT NOT NULL,
  -- The ids of the credit notes on it.
  credit_notes     TEXT NOT NULL DEFAULT '[]',
  -- Seller and customer as they were when it got its number.
  parties          TEXT,
  period_starts_at INTEGER NOT NULL,
  period_ends_at   INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  issued_at        INTEGER,
  due_at           INTEGER,
  paid_at          INTEGER,
  voided_at        INTEGER,
  version          INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id),
  -- However often a billing run is repeated or cut off: one invoice a subscription and reason.
  UNIQUE (organization_id, subscription_id, reason_key),
  CHECK ((status = 'draft') = (number IS NULL)),
  CHECK (credit_minor + paid_minor + reduced_minor <= total_minor)
);
CREATE INDEX invoices_by_number ON invoices (organization_id, number) WHERE number IS NOT NULL;
CREATE INDEX invoices_drafts ON invoices (organization_id, id) WHERE status = 'draft';

-- Discounts granted to the organization.
CREATE TABLE discounts (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
  -- A percentage, or an amount in one currency.
  off             TEXT NOT NULL,
  -- On how many bills; NULL on every one.
  bills           INTEGER CHECK (bills > 0),
  -- Only off these plans, add-ons and metrics; NULL is all of them.
  items           TEXT,
  valid_from      INTEGER,
  -- At this instant, still.
  valid_through   INTEGER,
  created_at      INTEGER NOT NULL,
  ended_at        INTEGER,
  PRIMARY KEY (organization_id, id)
);

-- The bills that a discount was taken off: a bill that is made again does not count again.
CREATE TABLE discount_redemptions (
  organization_id TEXT NOT NULL,
  discount_id     TEXT NOT NULL,
  invoice_id      TEXT NOT NULL,
  PRIMARY KEY (organization_id, discount_id, invoice_id),
  FOREIGN KEY (organization_id, discount_id) REFERENCES discounts (organization_id, id),
  FOREIGN KEY (organization_id, invoice_id) REFERENCES invoices (organization_id, id)
);
CREATE INDEX discount_redemptions_by_invoice ON discount_redemptions (organization_id, invoice_id);

-- The taxes on every line.
CREATE TABLE taxes (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (organization_id),
  rates           TEXT NOT NULL,
  updated_at      INTEGER NOT NULL
);

-- Features that the organization has or lacks, whatever its plan says.
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

-- src/receivables

-- Money that came in.
CREATE TABLE payments (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  invoice_id      TEXT NOT NULL,
  currency        TEXT NOT NULL,
  amount_minor    INTEGER NOT NULL CHECK (amount_minor > 0),
  method          TEXT,
  reference       TEXT,
  paid_at         INTEGER NOT NULL,
  recorded_at     INTEGER NOT NULL,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, invoice_id) REFERENCES invoices (organization_id, id)
);
CREATE INDEX payments_by_invoice ON payments (organization_id, invoice_id);

-- Credit notes: parts of invoices that are taken back.
CREATE TABLE credit_notes (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  invoice_id      TEXT NOT NULL,
  -- The gapless number, of a series of its own; none for a moment.
  number          INTEGER,
  currency        TEXT NOT NULL,
  reason          TEXT NOT NULL,
  lines           TEXT NOT NULL,
  subtotal_minor  INTEGER NOT NULL,
  tax_minor       INTEGER NOT NULL,
  total_minor     INTEGER NOT NULL CHECK (total_minor > 0),
  -- What of it need not be paid any more, became credit, or is to be paid back.
  reduced_minor   INTEGER NOT NULL CHECK (reduced_minor >= 0),
  credited_minor  INTEGER NOT NULL CHECK (credited_minor >= 0),
  refunded_minor  INTEGER NOT NULL CHECK (refunded_minor >= 0),
  created_at      INTEGER NOT NULL,
  issued_at       INTEGER,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, invoice_id) REFERENCES invoices (organization_id, id),
  CHECK (reduced_minor + credited_minor + refunded_minor = total_minor),
  CHECK ((number IS NULL) = (issued_at IS NULL))
);
CREATE INDEX credit_notes_by_invoice ON credit_notes (organization_id, invoice_id);

-- Money that goes back.
CREATE TABLE refunds (
  organization_id TEXT NOT NULL,
  id              TEXT NOT NULL,
  credit_note_id  TEXT NOT NULL,
  invoice_id      TEXT NOT NULL,
  currency        TEXT NOT NULL,
  amount_minor    INTEGER NOT NULL CHECK (amount_minor > 0),
  method          TEXT,
  reference       TEXT,
  created_at      INTEGER NOT NULL,
  paid_at         INTEGER,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, credit_note_id) REFERENCES credit_notes (organization_id, id)
);

-- src/delivery

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
-- Finds what waits for the operator without reading the rest.
CREATE INDEX mails_dead ON mails (created_at) WHERE sent_at IS NULL AND next_attempt_at IS NULL;

-- src/business

-- What each step made of each event: `done` is claimed in the step's own commit, so that it takes effect once.
CREATE TABLE reaction_runs (
  organization_id TEXT NOT NULL,
  event_id        TEXT NOT NULL,
  step            TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('done', 'retrying', 'dead')),
  attempts        INTEGER NOT NULL,
  last_error      TEXT,
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, event_id, step),
  FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);
CREATE INDEX reaction_runs_dead ON reaction_runs (updated_at) WHERE status = 'dead';

-- src/operations

-- Exports of everything of the organization as text, made in the background.
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
  -- A step that failed is retried then; NULL without a failure.
  next_attempt_at INTEGER,
  last_error      TEXT,
  version         INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX exports_unfinished ON exports (created_at) WHERE status IN ('queued', 'running');
CREATE INDEX exports_kept ON exports (expires_at) WHERE expires_at IS NOT NULL;

-- The text of exports, in parts.
CREATE TABLE export_chunks (
  organization_id TEXT NOT NULL,
  export_id       TEXT NOT NULL,
  number          INTEGER NOT NULL,
  text            TEXT NOT NULL,
  PRIMARY KEY (organization_id, export_id, number),
  FOREIGN KEY (organization_id, export_id) REFERENCES exports (organization_id, id)
);
