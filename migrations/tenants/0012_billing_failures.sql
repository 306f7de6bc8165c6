-- The billing run: what it could not bill, and the indexes by which it goes.

-- A subscription whose billing failed, until it succeeds. `next_attempt_at` is its pause's end by the wall clock; a parked one has none.
CREATE TABLE billing_failures (
  organization_id TEXT NOT NULL,
  subscription_id TEXT NOT NULL,
  attempts        INTEGER NOT NULL,
  last_error      TEXT NOT NULL,
  failed_at       INTEGER NOT NULL,
  next_attempt_at INTEGER,
  parked_at       INTEGER,
  PRIMARY KEY (organization_id, subscription_id),
  FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id),
  CHECK ((next_attempt_at IS NULL) = (parked_at IS NOT NULL))
);
CREATE INDEX billing_failures_pausing ON billing_failures (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX billing_failures_parked ON billing_failures (parked_at) WHERE parked_at IS NOT NULL;

-- A page of the run goes on behind the last row of the one before.
DROP INDEX IF EXISTS subscriptions_due;
CREATE INDEX subscriptions_due ON subscriptions (next_billing_at, organization_id, id) WHERE next_billing_at IS NOT NULL AND test_clock_id IS NULL;
CREATE INDEX subscriptions_due_on_clock ON subscriptions (test_clock_id, next_billing_at, organization_id, id) WHERE next_billing_at IS NOT NULL AND test_clock_id IS NOT NULL;

-- What is pending for one organization, however many facts it has had.
CREATE INDEX events_waiting ON events (organization_id, id) WHERE dispatched_at IS NULL;
CREATE INDEX invoices_drafts ON invoices (organization_id, id) WHERE status = 'draft';
