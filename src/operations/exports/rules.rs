//! How an export is requested, and the lines it consists of.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::export::{Export, Position, Status};
use super::store;
use crate::events::ExportRequested;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{ExportId, Moment};
use crate::kernel::retry::Policy;
use crate::kernel::time::{Timestamp, days, hours, seconds};

/// The retention of the text.
pub const KEPT: std::time::Duration = days(7);
/// An export is given up after about 20 minutes in which one step of it kept failing.
pub const RETRIES: Policy = Policy { attempts_max: 8, pause_first: seconds(10), pause_max: hours(1) };
/// The name under which the Meter's events are exported.
pub const USAGE_EVENTS: &str = "usageEvents";
/// Replaces a secret.
const MASK: &str = "***";
/// Columns whose names contain one of these hold secrets or values that derive from secrets.
const SECRET: [&str; 11] = ["secret", "token", "hash", "seed", "sealed", "cipher", "nonce", "wrapped", "password", "private", "code"];
/// Columns that are named like secrets and hold none: the chain of the audit log, and digests.
const NOT_SECRET: [&str; 4] = ["audit_log.hash", "audit_log.previous_hash", "audit_heads.hash", "audit_log.prev_hash"];
/// Tables that are not exported: the text of exports themselves.
pub const LEFT_OUT: [&str; 1] = ["export_chunks"];

/// Requests an export. Its times are real times, also for an organization on a test clock, because the download is real.
pub fn request(requested_by: &str, moment: Moment<'_>) -> (Export, Decision) {
    let export = Export {
        id: ExportId::new(moment),
        status: Status::Queued,
        created_at: moment.now,
        finished_at: None,
        expires_at: None,
        position: Position::Tables { table: None, after: None },
        counts: BTreeMap::new(),
        rows_expected: 0,
        rows_written: 0,
        chunks: 0,
        bytes: 0,
        digest: String::new(),
        attempts: 0,
        next_attempt_at: None,
        version: 1,
    };
    let decision = Decision::new()
        .guard(store::none_unfinished())
        .write(store::insert(&export, requested_by))
        .raise(ExportRequested { export: export.id })
        .audit("export.requested", export.id.to_string(), None, None);
    (export, decision)
}

/// A row as a line, its secrets masked.
pub fn line(table: &str, mut row: Map<String, Value>) -> String {
    for (column, value) in &mut row {
        if is_secret(table, column) && !value.is_null() {
            *value = MASK.into();
        }
    }
    json!({"table": table, "row": row}).to_string() + "\n"
}

pub fn is_secret(table: &str, column: &str) -> bool {
    SECRET.iter().any(|part| column.contains(part)) && !NOT_SECRET.contains(&format!("{table}.{column}").as_str())
}

/// A usage event, which the Meter already returns as a line.
pub fn usage_line(event: &str) -> String {
    format!("{{\"table\":\"{USAGE_EVENTS}\",\"row\":{event}}}\n")
}

/// The last line.
pub fn summary(export: &Export, organization: &str, sha256: &str, now: Timestamp) -> String {
    let summary = json!({
        "organization": organization, "export": export.id, "requestedAt": export.created_at, "finishedAt": now,
        "rows": export.counts, "bytes": export.bytes, "sha256": sha256,
    });
    json!({ "summary": summary }).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let row = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let masked = line("sessions", row(r#"{"id":"sess_1","refresh_hash":"abc","totp_seed":null}"#));
        assert_eq!(masked, "{\"row\":{\"id\":\"sess_1\",\"refresh_hash\":\"***\",\"totp_seed\":null},\"table\":\"sessions\"}\n");
        assert!(!is_secret("audit_log", "hash") && is_secret("oauth_clients", "secret_hash") && !is_secret("members", "email"));
    }

    #[test]
    fn what_can_be_downloaded() {
        let now = Timestamp::from_millis(10);
        let export = |status, expires_at: Option<i64>| {
            struct Fixed;
            impl crate::kernel::ids::Entropy for Fixed {
                fn bytes(&self) -> [u8; 16] {
                    [1; 16]
                }
            }
            let (export, _) = request("platform", Moment { now, entropy: &Fixed });
            Export { status, expires_at: expires_at.map(Timestamp::from_millis), ..export }
        };
        let check = |status, expires_at, expected: &str| {
            let found = export(status, expires_at).check_is_done(now).map_or_else(|problem| problem.code, |()| "");
            assert_eq!(found, expected, "{status:?}");
        };
        check(Status::Queued, None, "export_not_done");
        check(Status::Running, None, "export_not_done");
        check(Status::Failed, None, "export_failed");
        check(Status::Done, Some(11), "");
        check(Status::Done, Some(10), "export_expired");
    }
}
