-- Subscriptions of any plan, interval and quantity, and invoices with discounts, taxes and credits.

CREATE TABLE subscriptions_2 (
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

INSERT INTO subscriptions_2
SELECT organization_id, id, plan, plan_version, billing_period, 1, '{}', 'USD', iif(is_trial AND status = 'active', 'trialing', status),
  trial_ends_at, started_at, ended_at, time_zone, anchored_at, period_index, period_starts_at, period_ends_at, '[]', next_billing_at,
  NULL, NULL, NULL, '[]', '{}', payment_method, auto_renew, test_clock_id, version
FROM subscriptions;

CREATE TABLE invoices_2 (
  organization_id  TEXT NOT NULL,
  id               TEXT NOT NULL,
  subscription_id  TEXT NOT NULL,
  -- Why it was made, and what makes it the only one: the period it opens, the change it bills.
  billing_reason   TEXT NOT NULL CHECK (billing_reason IN ('subscription_create', 'subscription_cycle', 'subscription_update', 'subscription_threshold', 'subscription_end', 'late_usage')),
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
  FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions_2 (organization_id, id),
  -- However often a billing run is repeated or cut off: one invoice a subscription and reason.
  UNIQUE (organization_id, subscription_id, reason_key),
  CHECK ((status = 'draft') = (number IS NULL)),
  CHECK (credit_minor + paid_minor + reduced_minor <= total_minor)
);

INSERT INTO invoices_2
SELECT organization_id, id, subscription_id, 'subscription_cycle', 'period:' || period_starts_at, number, status, currency, total_minor, 0, 0,
  total_minor, 0, 0, iif(status = 'paid', total_minor, 0), 0, lines, usage, '[]', '[]', '[]', NULL, period_starts_at, period_ends_at, created_at,
  issued_at, due_at, paid_at, NULL, version
FROM invoices;

DROP TABLE invoices;
DROP TABLE subscriptions;
ALTER TABLE subscriptions_2 RENAME TO subscriptions;
ALTER TABLE invoices_2 RENAME TO invoices;

CREATE INDEX subscriptions_due ON subscriptions (next_billing_at) WHERE next_billing_at IS NOT NULL;
-- One subscription an organization at a time: two sign-up steps can't make two.
CREATE UNIQUE INDEX subscriptions_current ON subscriptions (organization_id) WHERE ended_at IS NULL;
CREATE INDEX invoices_by_number ON invoices (organization_id, number) WHERE number IS NOT NULL;

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

INSERT INTO subscription_phases
SELECT organization_id, id, started_at, plan, plan_version, billing_period, quantity, add_ons FROM subscriptions;
