-- The people of an organization, its teams, and who may do what where.

CREATE TABLE members (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  -- The person, the same one in every organization they belong to.
  id              TEXT NOT NULL,
  email           TEXT NOT NULL,
  -- The profile is this organization's own.
  given_name      TEXT,
  family_name     TEXT,
  job_title       TEXT,
  telephone       TEXT,
  -- The organization-wide role; NULL: on teams only.
  role            TEXT,
  invited_by      TEXT,
  joined_at       INTEGER NOT NULL,
  email_verified_at INTEGER,
  -- Into this organization; NULL where there was none.
  last_login_at   INTEGER,
  version         INTEGER NOT NULL DEFAULT 1,
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
  told_version    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX seats_untold ON seats (organization_id) WHERE told_version < version;

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

CREATE TABLE teams (
  organization_id TEXT NOT NULL REFERENCES organizations (organization_id),
  id              TEXT NOT NULL,
  name            TEXT NOT NULL,
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
