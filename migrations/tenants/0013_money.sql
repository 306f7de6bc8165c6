-- What bills are reduced by, taxed with and paid by: discounts, taxes, credit, payments, credit notes and refunds.

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

-- The ids of the credit notes on it.
ALTER TABLE invoices ADD COLUMN credit_notes TEXT NOT NULL DEFAULT '[]';
