-- What large organizations list and filter by.

-- The name in lower case, for filters by how it begins.
ALTER TABLE teams ADD COLUMN search_name TEXT NOT NULL DEFAULT '';
CREATE INDEX teams_by_name ON teams (organization_id, search_name, id);

-- Who is on a team, by when they came.
CREATE INDEX team_members_by_start ON team_members (organization_id, team_id, start_date, person_id);
