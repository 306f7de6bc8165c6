//! One request and what must come of it. What every refusal and every answer has in common is checked here, once.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::api::document;
use crate::support::world::{Answer, Credential, World};

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Ask {
    pub who: Credential,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub fn ask(who: &Credential, method: &str, path: &str) -> Ask {
    Ask { who: who.clone(), method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
}

impl Ask {
    /// The same request of somebody else.
    pub fn by(&self, who: &Credential) -> Self {
        Self { who: who.clone(), ..self.clone() }
    }

    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn send(&self, world: &World) -> Answer {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.send(&self.who, &self.method, &self.path, &headers, self.body.clone())
    }

    fn route(&self) -> &str {
        self.path.split('?').next().unwrap()
    }
}

/// A refusal as a table says it: `code` and `pointer` are those of the first of `errors` where there are any.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    pub status: u16,
    pub code: &'a str,
    pub pointer: &'a str,
}

pub fn refusal<'a>(status: u16, code: &'a str, pointer: &'a str) -> Refusal<'a> {
    Refusal { status, code, pointer }
}

/// The request is refused as expected, with a whole problem document, and changes nothing.
#[track_caller]
pub fn check(world: &World, ask: &Ask, expected: Refusal<'_>) -> Answer {
    unchanged(world, &ask.path, || refused(world, ask, expected))
}

/// Nothing that is stored changes meanwhile.
#[track_caller]
pub fn unchanged<T>(world: &World, name: &str, act: impl FnOnce() -> T) -> T {
    let before = parts(world);
    let done = act();
    let after = parts(world);
    if before != after {
        let changes = difference(&joined(&before), &joined(&after));
        assert!(changes.is_empty(), "{name}: a refusal changes nothing, but: {changes:#?}");
    }
    done
}

/// The request is refused as expected, with a whole problem document; whether it changes something is not looked at.
#[track_caller]
pub fn refused(world: &World, ask: &Ask, expected: Refusal<'_>) -> Answer {
    let answer = ask.send(world);
    let row = format!("{} {} {} → {}", ask.method, ask.path, shown(&ask.body), answer.text);
    assert_problem(&row, ask, &answer);
    let error = &answer.body["errors"][0];
    let code = answer.body["code"].as_str().unwrap();
    let found = if code == "invalid_request" { error["code"].as_str().unwrap() } else { code };
    assert_eq!((answer.status, found), (expected.status, expected.code), "{row}");
    assert_eq!(error["pointer"].as_str().unwrap_or_default(), expected.pointer, "{row}");
    assert!(expected.status != 400 || error.is_object(), "{row}: a 400 names the place");
    answer
}

/// The request is accepted, and its answer looks as `openapi.json` says.
#[track_caller]
pub fn accept(world: &World, ask: &Ask, status: u16) -> Answer {
    let answer = ask.send(world);
    let row = format!("{} {} {} → {}", ask.method, ask.path, shown(&ask.body), answer.text);
    assert_eq!(answer.status, status, "{row}");
    assert!(answer.header("request-id").starts_with("req_"), "{row}: every answer bears Request-Id");
    let faults = document::faults(&ask.method, ask.route(), status, &answer.body);
    assert!(faults.is_empty(), "{row}: not as openapi.json says: {faults:#?}");
    answer
}

/// RFC 9457 and our own members, for whatever was refused.
#[track_caller]
fn assert_problem(row: &str, ask: &Ask, answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{row}");
    let member = |name: &str| answer.body[name].as_str().unwrap_or_default();
    assert_eq!(answer.body["status"], answer.status, "{row}");
    assert_eq!(member("type"), format!("https://api.example/docs/errors#{}", member("code")), "{row}");
    assert!(!member("title").is_empty() && member("detail").ends_with('.'), "{row}: title and detail are for people");
    assert_eq!(member("instance"), ask.route(), "{row}");
    assert!(member("requestId").starts_with("req_"), "{row}");
    assert_eq!(member("requestId"), answer.header("request-id"), "{row}: the document names its own request");
    assert_eq!(answer.status == 401, answer.headers.contains_key("www-authenticate"), "{row}");
    assert_eq!([429, 503].contains(&answer.status), answer.headers.contains_key("retry-after"), "{row}");
    let faults = document::faults_of_problem(&answer.body);
    assert!(faults.is_empty(), "{row}: not as openapi.json says: {faults:#?}");
}

/// A problem without what names this one request, to compare two.
pub fn anonymous(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    let members = body.as_object_mut().unwrap();
    members.remove("instance");
    members.remove("requestId");
    body
}

/// Everything that is stored, line by line: the databases, the Meters, and the messages that wait. How often a public endpoint was asked
/// is left out: refusals are counted, too.
pub fn state(world: &World) -> Vec<String> {
    joined(&parts(world))
}

/// What one place holds, with what is said before each line.
struct Part {
    name: String,
    lines: Arc<Vec<String>>,
}

impl PartialEq for Part {
    /// What was not read again is the same: most of it.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && (Arc::ptr_eq(&self.lines, &other.lines) || self.lines == other.lines)
    }
}

fn parts(world: &World) -> Vec<Part> {
    let part = |name: &str, lines| Part { name: name.to_owned(), lines };
    let mut parts = vec![part("directory ", world.directory.lines())];
    parts.extend(world.shards.iter().map(|shard| part("", shard.lines())));
    let meters = world.meters.meters.lock().unwrap();
    parts.extend(meters.iter().map(|(organization, (sql, _))| part(&format!("meter of {organization}: "), sql.lines())));
    let messages = world.queues.messages.lock().unwrap();
    parts.push(part("message ", Arc::new(messages.iter().map(|message| format!("{message:?}")).collect())));
    parts
}

fn joined(parts: &[Part]) -> Vec<String> {
    parts.iter().flat_map(|part| part.lines.iter().map(move |line| format!("{}{line}", part.name))).collect()
}

/// The lines of [`state`] that name one organization.
pub fn state_of(world: &World, organization: &str) -> Vec<String> {
    state(world).into_iter().filter(|line| line.contains(organization)).collect()
}

pub fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let (old, now): (HashSet<&String>, HashSet<&String>) = (before.iter().collect(), after.iter().collect());
    let gone = before.iter().filter(|line| !now.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}
