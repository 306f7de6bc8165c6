-- What large organizations list and filter by.

-- The name in lower case, for filters by how it begins.
ALTER TABLE teams ADD COLUMN search_name TEXT NOT NULL DEFAULT '';
CREATE INDEX teams_by_name ON teams (organization_id, search_name, id);

-- Who is on a team, by when they came.
CREATE INDEX team_members_by_start ON team_members (organization_id, team_id, start_date, person_id);

-- What is forgotten when it is old enough, and what waits for the operator: found without reading all that is there.
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);
CREATE INDEX mails_parked ON mails (created_at) WHERE sent_at IS NULL AND next_attempt_at IS NULL;
