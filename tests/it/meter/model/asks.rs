//! Operations of clients as plain values, and the requests that they are written as.

use rating::Quantity;
use serde_json::{Map, Value, json};
use tenantry::kernel::time::Timestamp;

use crate::meter::world::{HotRequest, keyed, request};

/// The source of every CloudEvent here.
const SOURCE: &str = "/tests";

#[derive(Clone, Debug)]
pub struct Sent {
    pub ask: Ask,
    /// The Worker has sent the platform's metrics just now.
    pub has_all_metrics: bool,
}

#[derive(Clone, Debug)]
pub enum Ask {
    Event(Event, Way),
    Batch { events: Vec<Event>, key: Option<String>, is_cloud: bool },
    Quota { metric: String, amount: Quantity, explain: bool },
    Summary,
    Reserve { metric: String, amount: Quantity, ttl: Option<i64>, key: Option<String> },
    Settle { id: String, amount: Quantity, allow_overage: bool, key: Option<String> },
    Release(String),
    Reservation(String),
}

/// How an event is sent alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Usage,
    Consumption,
    Structured,
    Binary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The metric, or the CloudEvents type that stands for it.
    pub metric: String,
    pub amount: Quantity,
    pub key: Option<String>,
    pub timestamp: Option<Timestamp>,
    pub metadata: Option<Map<String, Value>>,
}

impl Way {
    pub fn is_cloud(self) -> bool {
        matches!(self, Self::Structured | Self::Binary)
    }
}

impl Event {
    /// The key that the event is remembered by.
    pub fn identity(&self, is_cloud: bool) -> Option<String> {
        self.key.as_ref().map(|key| if is_cloud { format!("{SOURCE}\n{key}") } else { key.clone() })
    }

    fn body(&self) -> Value {
        let mut body = json!({"metric": self.metric, "amount": self.amount});
        let mut set = |name: &str, value: Option<Value>| value.map(|value| body[name] = value);
        set("idempotencyKey", self.key.as_ref().map(|key| json!(key)));
        set("timestamp", self.timestamp.map(|timestamp| json!(timestamp)));
        set("metadata", self.metadata.clone().map(Value::Object));
        body
    }

    fn data(&self) -> Value {
        let mut data = self.metadata.clone().unwrap_or_default();
        data.insert("amount".to_owned(), json!(self.amount));
        Value::Object(data)
    }

    fn attributes(&self, prefix: &str) -> Map<String, Value> {
        let named = [
            ("specversion", Some(json!("1.0"))),
            ("source", Some(json!(SOURCE))),
            ("id", self.key.as_ref().map(|key| json!(key))),
            ("type", Some(json!(self.metric))),
            ("time", self.timestamp.map(|timestamp| json!(timestamp))),
        ];
        named.into_iter().filter_map(|(name, value)| Some((format!("{prefix}{name}"), value?))).collect()
    }

    fn structured(&self) -> Value {
        let mut event = self.attributes("");
        event.insert("data".to_owned(), self.data());
        Value::Object(event)
    }
}

impl Sent {
    pub fn request(&self) -> HotRequest {
        HotRequest { has_all_metrics: self.has_all_metrics, ..self.ask.request() }
    }
}

impl Ask {
    fn request(&self) -> HotRequest {
        let post = |target: &str, body: Value| request("POST", target, &body.to_string());
        let cloud = |content_type: &'static str, request: HotRequest| HotRequest { content_type: content_type.into(), ..request };
        let with = |key: &Option<String>, request: HotRequest| keyed(key.as_deref().unwrap_or_default(), request);
        match self {
            Self::Event(event, Way::Usage) => post("/v1/usage", event.body()),
            Self::Event(event, Way::Consumption) => post("/v1/usage/consumption", event.body()),
            Self::Event(event, Way::Structured) => cloud("application/cloudevents+json", post("/v1/events", event.structured())),
            Self::Event(event, Way::Binary) => {
                HotRequest { attributes: Value::Object(event.attributes("ce-")).to_string().into(), ..post("/v1/events", event.data()) }
            }
            Self::Batch { events, key, is_cloud: false } => {
                with(key, post("/v1/usage/batch", json!({"events": events.iter().map(Event::body).collect::<Vec<_>>()})))
            }
            Self::Batch { events, key, is_cloud: true } => {
                let sent = post("/v1/events", json!(events.iter().map(Event::structured).collect::<Vec<_>>()));
                with(key, cloud("application/cloudevents-batch+json", sent))
            }
            Self::Quota { metric, amount, explain } => {
                request("GET", &format!("/v1/quotas/{metric}?amount={amount}&explain={explain}"), "")
            }
            Self::Summary => request("GET", "/v1/usage", ""),
            Self::Reserve { metric, amount, ttl, key } => {
                let mut body = json!({"metric": metric, "amount": amount});
                if let Some(ttl) = ttl {
                    body["ttlSeconds"] = json!(ttl);
                }
                with(key, post("/v1/reservations", body))
            }
            Self::Settle { id, amount, allow_overage, key } => {
                with(key, post(&format!("/v1/reservations/{id}/settlement"), json!({"amount": amount, "allowOverage": allow_overage})))
            }
            Self::Release(id) => request("DELETE", &format!("/v1/reservations/{id}"), ""),
            Self::Reservation(id) => request("GET", &format!("/v1/reservations/{id}"), ""),
        }
    }

    /// Whether it can be repeated under its key.
    pub fn is_keyed(&self) -> bool {
        match self {
            Self::Event(event, _) => event.key.is_some(),
            Self::Batch { events, key, .. } => key.is_some() || events.iter().any(|event| event.key.is_some()),
            Self::Reserve { key, .. } | Self::Settle { key, .. } => key.is_some(),
            _ => false,
        }
    }

    /// The same key over something else.
    pub fn altered(&self) -> Self {
        let more = |amount: Quantity| amount.checked_add(Quantity::ONE).unwrap();
        match self.clone() {
            Self::Event(event, way) => Self::Event(Event { amount: more(event.amount), ..event }, way),
            Self::Batch { mut events, key, is_cloud } => {
                events.rotate_left(1);
                events.truncate(events.len().max(2) - 1);
                events[0].amount = more(events[0].amount);
                Self::Batch { events, key, is_cloud }
            }
            Self::Reserve { metric, amount, ttl, key } => Self::Reserve { metric, amount: more(amount), ttl, key },
            Self::Settle { id, amount, allow_overage, key } => Self::Settle { id, amount: more(amount), allow_overage, key },
            other => other,
        }
    }
}
