-- An export whose step failed pauses before it is tried again; without a failure it does not wait.
ALTER TABLE exports ADD COLUMN next_attempt_at INTEGER;
