//! The lines of a proof, and the bodies of commits in them, read strictly where a count depends on it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use rating::Quantity;
use serde::de::IgnoredAny;
use serde::{Deserialize, de::DeserializeOwned};

use crate::instant;

/// The first line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    #[serde(rename = "$type")]
    pub kind: String,
    pub version: u64,
    pub organization: String,
    pub from: String,
    pub to: String,
    /// What the first commit of the file is chained to.
    pub previous: String,
    pub is_genesis: bool,
}

/// Every line but the first: a commit, or the end.
#[derive(Debug, Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(rename = "$type", borrow, default)]
    pub kind: Option<Cow<'a, str>>,
    pub number: u64,
    #[serde(borrow)]
    pub hash: Cow<'a, str>,
    #[serde(borrow, default)]
    pub body: Option<Cow<'a, str>>,
    #[serde(default)]
    pub counters: Option<Vec<Counter>>,
}

/// A counter as of the head.
#[derive(Debug, Deserialize)]
pub(crate) struct Counter {
    pub metric: String,
    pub start: i64,
    pub used: Quantity,
    pub level: Quantity,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    pub number: u64,
    pub at: i64,
    pub first: Option<u64>,
    #[serde(default)]
    pub standings: Vec<Standing>,
    #[serde(default)]
    pub events: Vec<Event>,
    pub closing: Option<Closing>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Closing {
    pub start: i64,
    pub end: i64,
    pub used: BTreeMap<String, Quantity>,
    pub late: Vec<Late>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Late {
    pub metric: String,
    #[serde(deserialize_with = "instant::either")]
    pub period_starts_at: i64,
    #[serde(deserialize_with = "instant::either")]
    pub period_ends_at: i64,
    pub before: Quantity,
    pub after: Quantity,
}

/// A metric in a period: metric, aggregation, kind, start, end, limit, mode, and `"soft"` where the limit stops nobody.
#[derive(Debug, Deserialize)]
pub(crate) struct Standing(
    pub String,
    pub Aggregation,
    pub Kind,
    pub i64,
    pub i64,
    pub Option<Quantity>,
    pub Mode,
    #[serde(default)] pub Option<Enforcement>,
);

/// Standing, amount, count after it, key, timestamp, reserved, metadata.
#[derive(Debug, Deserialize)]
pub(crate) struct Event(
    pub usize,
    pub Quantity,
    pub Quantity,
    #[serde(default)] pub Option<String>,
    #[serde(default)] pub Option<i64>,
    #[serde(default)] pub Option<Quantity>,
    #[serde(default)]
    #[expect(dead_code, reason = "read to see that it is an object")]
    pub Option<BTreeMap<String, IgnoredAny>>,
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aggregation {
    Count,
    Sum,
    Max,
    Latest,
    Unique,
    WeightedSum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Consumable,
    Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Usage,
    Consumption,
    Settlement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Enforcement {
    Hard,
    Soft,
}

/// Reads a JSON object; serde alone would read a list of values as one, too.
pub(crate) fn read<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, String> {
    check(what, text, serde_json::from_str(text))
}

pub(crate) fn read_line(text: &str) -> Result<Line<'_>, String> {
    check("a commit or an end", text, serde_json::from_str(text))
}

pub(crate) fn check<T>(what: &str, text: &str, read: serde_json::Result<T>) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err(format!("it is not {what}: not a JSON object"));
    }
    read.map_err(|error| format!("it is not {what}: {}", error.to_string().replace(" at line 1 column ", " at column ")))
}

impl fmt::Display for Aggregation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Max => "max",
            Self::Latest => "latest",
            Self::Unique => "unique",
            Self::WeightedSum => "weighted_sum",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Consumable => "consumable",
            Self::Level => "level",
        })
    }
}
