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
