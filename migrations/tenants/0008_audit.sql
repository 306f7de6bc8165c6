-- The audit log again, now a chain: each entry's hash is of the hash before it and of the entry's text. Nothing was released before it.
DROP TABLE audit_log;

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
