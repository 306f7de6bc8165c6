-- The audit log of what the vendor does that is no organization's: the same shape as an organization's, so that both are written,
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
