//! Hot requests and their answers as they cross between the Worker and a Meter: one text each.

use std::borrow::Cow;

/// The caller of a hot request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HotCaller<'a> {
    /// The `Authorization` header as sent (empty when absent); the Meter verifies it.
    Header(Cow<'a, str>),
    /// The Worker has verified the caller and its permission.
    Trusted,
}

/// A request of the hot path as it crosses to the Meter: one string, so that crossing is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotRequest<'a> {
    pub caller: HotCaller<'a>,
    pub method: Cow<'a, str>,
    /// Path and query.
    pub target: Cow<'a, str>,
    pub content_type: Cow<'a, str>,
    /// The `Idempotency-Key` header; empty when absent.
    pub idempotency_key: Cow<'a, str>,
    /// The `ce-` headers of `POST /v1/events` as a JSON object of texts, names in lower case; empty when there are none.
    pub attributes: Cow<'a, str>,
    /// The platform's metrics were sent just now: a metric that is still unknown does not exist.
    pub has_all_metrics: bool,
    pub body: Cow<'a, str>,
}

/// The Meter's answer in place of a reply when a request names a metric that it doesn't know. Nothing was counted.
/// Send the platform's metrics with [`Call::PutMetrics`](super::contract::Call::PutMetrics), then the request again with
/// `has_all_metrics`.
pub const METRICS_NEEDED: &str = "?metrics";

/// The Meter's answer to a hot request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotReply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl<'a> HotRequest<'a> {
    /// Lines: caller (`=` trusted, `!` trusted with all metrics sent, or `:` and the header), method, target, content type, idempotency
    /// key, attributes; the rest is the body. The shell in `src/edge/shell.mjs` writes the same.
    pub fn to_wire(&self) -> String {
        let caller = match &self.caller {
            HotCaller::Trusted if self.has_all_metrics => "!".to_owned(),
            HotCaller::Trusted => "=".to_owned(),
            HotCaller::Header(value) => format!(":{value}"),
        };
        let Self { method, target, content_type, idempotency_key, attributes, body, .. } = self;
        format!("{caller}\n{method}\n{target}\n{content_type}\n{idempotency_key}\n{attributes}\n{body}")
    }

    /// The inverse of [`HotRequest::to_wire`]; header values can't hold line breaks.
    pub fn from_wire(text: &'a str) -> Option<Self> {
        let mut lines = text.splitn(7, '\n');
        let caller = match lines.next()? {
            "=" | "!" => HotCaller::Trusted,
            header => HotCaller::Header(Cow::Borrowed(header.strip_prefix(':')?)),
        };
        let has_all_metrics = text.starts_with('!');
        let mut line = || lines.next().map(Cow::Borrowed);
        Some(Self {
            caller,
            method: line()?,
            target: line()?,
            content_type: line()?,
            idempotency_key: line()?,
            attributes: line()?,
            has_all_metrics,
            body: line()?,
        })
    }
}

impl HotReply {
    /// Lines: status, then `name: value` each, an empty line, the body.
    pub fn to_wire(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        text.push_str(&self.body);
        text
    }

    pub fn from_wire(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.parse().ok()?;
        let headers =
            lines.map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()))).collect::<Option<_>>()?;
        Some(Self { status, headers, body: body.to_owned() })
    }
}
