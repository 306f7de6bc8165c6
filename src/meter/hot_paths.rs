//! The endpoints that a Meter answers itself: the only list of them.
//!
//! The Meter reads requests by it, the OpenAPI document says of each that its rate is limited, and `src/edge/hot_paths.mjs`, by which the shell
//! tells hot requests from others, is generated from it.

use crate::kernel::problem::Problem;

/// What is asked at one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hot {
    RecordUsage,
    ConsumeUsage,
    RecordBatch,
    RecordEvents,
    ReadUsage,
    CheckQuota,
    CreateReservation,
    ReadReservation,
    ReleaseReservation,
    SettleReservation,
}

/// Where CloudEvents arrive: the one endpoint that reads more headers than the others.
pub const EVENTS: &str = "/v1/events";

/// Method, path as the OpenAPI document writes it, and what is asked there.
pub const HOT_PATHS: [(&str, &str, Hot); 10] = [
    ("GET", "/v1/usage", Hot::ReadUsage),
    ("POST", "/v1/usage", Hot::RecordUsage),
    ("POST", "/v1/usage/consumption", Hot::ConsumeUsage),
    ("POST", "/v1/usage/batch", Hot::RecordBatch),
    ("POST", EVENTS, Hot::RecordEvents),
    ("GET", "/v1/quotas/{metric}", Hot::CheckQuota),
    ("POST", "/v1/reservations", Hot::CreateReservation),
    ("GET", "/v1/reservations/{id}", Hot::ReadReservation),
    ("DELETE", "/v1/reservations/{id}", Hot::ReleaseReservation),
    ("POST", "/v1/reservations/{id}/settlement", Hot::SettleReservation),
];

/// What is asked, and the name or id in the path; empty where it has none.
pub fn find<'a>(method: &str, path: &'a str) -> Result<(Hot, &'a str), Problem> {
    let found =
        HOT_PATHS.iter().filter(|(allowed, ..)| *allowed == method).find_map(|(_, path_of, hot)| Some((*hot, named(path_of, path)?)));
    found.ok_or_else(|| refusal(path))
}

/// Why nothing is asked at this path by the method that was sent.
fn refusal(path: &str) -> Problem {
    let allowed = HOT_PATHS.iter().filter(|(_, path_of, _)| named(path_of, path).is_some()).map(|(method, ..)| *method);
    let allowed = allowed.collect::<Vec<_>>().join(", ");
    if allowed.is_empty() { Problem::not_found("resource") } else { method_not_allowed(&allowed) }
}

fn method_not_allowed(allow: &str) -> Problem {
    Problem::new(405, "method_not_allowed", "The method is not allowed here", format!("Use one of: {allow}.")).with_header("Allow", allow)
}

/// What stands in the braces of the template, if the path is one of its kind.
fn named<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, rest)) = template.split_once('{') else { return (template == path).then_some("") };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    path.strip_prefix(before)?.strip_suffix(after).filter(|name| !name.is_empty() && !name.contains('/'))
}

/// The list as the shell reads it: `src/edge/hot_paths.mjs`.
#[cfg(not(target_arch = "wasm32"))]
pub fn javascript() -> String {
    let lines: String = HOT_PATHS.iter().map(|(method, path, _)| format!("  [\"{method}\", \"{path}\"],\n")).collect();
    format!(
        "// Generated from src/meter/hot_paths.rs: UPDATE=1 cargo test --test drift\n\n\
         /** The endpoints that a Meter answers itself: method and path. */\n\
         export const HOT_PATHS = [\n{lines}];\n\n\
         /** Where CloudEvents arrive, whose attributes may be headers. */\n\
         export const EVENTS_PATH = \"{EVENTS}\";\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_is_found_by_its_own_path() {
        for (method, template, hot) in HOT_PATHS {
            let (before, after) = (template.replace("{metric}", "apiCalls"), template.replace("{id}", "res_1"));
            let path = if template.contains("{metric}") { before } else { after };
            let name = if template.contains('{') { Some(path.split('/').nth(3).unwrap()) } else { Some("") };
            assert_eq!(
                find(method, &path).map(|found| (found.0, found.1.to_owned())),
                Ok((hot, name.unwrap().to_owned())),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for path in [
            "",
            "/",
            "/v1/usage/",
            "/v1/usages",
            "/v1/quotas/",
            "/v1/quotas/a/b",
            "/v1/reservations//settlement",
            "/v1/reservations/a/b/settlement",
        ] {
            assert_eq!(find("GET", path).map_err(|problem| problem.status), Err(404), "{path}");
        }
        for (method, path, allow) in [
            ("PUT", "/v1/usage", "GET, POST"),
            ("GET", "/v1/usage/batch", "POST"),
            ("POST", "/v1/reservations/res_1", "GET, DELETE"),
            ("GET", "/v1/reservations/res_1/settlement", "POST"),
        ] {
            let refused = find(method, path).unwrap_err();
            assert_eq!((refused.status, refused.headers), (405, vec![("Allow", allow.to_owned())]), "{method} {path}");
        }
    }
}
