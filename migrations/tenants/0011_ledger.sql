-- The ledger: every money fact is one entry, whose postings sum to zero. Debits are above zero, credits below.

-- An entry is never changed: another one corrects it.
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

CREATE TRIGGER journal_entries_never_change BEFORE UPDATE ON journal_entries
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

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
