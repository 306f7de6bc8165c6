//! The queues as a port. Messages are JSON text: the typed path of the `worker` crate loses maps.

use futures::future::BoxFuture;
use wasm_bindgen::JsValue;
use worker::send::SendFuture;
use worker::{BatchMessageBuilder, Env, Queue, QueueContentType, RawMessageBuilder};

use super::failure::unavailable;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ports::{Message, Probes, Queues};

pub struct QueueBindings {
    events: Queue,
    email: Queue,
    billing: Queue,
}

/// Messages of one call.
const BATCH_MAX: usize = 100;

impl QueueBindings {
    pub fn bind(env: &Env) -> Result<Self> {
        let queue = |name: &str| env.queue(name).map_err(|error| Error::internal(format!("the binding {name} is missing: {error}")));
        Ok(Self { events: queue("EVENTS_QUEUE")?, email: queue("EMAIL_QUEUE")?, billing: queue("BILLING_QUEUE")? })
    }

    async fn send_to(queue: &Queue, bodies: &[String]) -> Result<()> {
        for chunk in bodies.chunks(BATCH_MAX) {
            let messages =
                chunk.iter().map(|body| RawMessageBuilder::new(JsValue::from_str(body)).build_with_content_type(QueueContentType::Text));
            let batch = BatchMessageBuilder::new().messages(messages.collect::<Vec<_>>()).build();
            queue.send_raw_batch(batch).await.map_err(|error| unavailable("a queue", &error))?;
        }
        Ok(())
    }
}

/// The queues and the static files, for `/healthz`; bound only when asked.
pub struct EdgeProbes(pub Env);

impl EdgeProbes {
    async fn queues(&self) -> Result<Vec<(&'static str, bool)>> {
        let body = [serde_json::to_string(&Message::Probe {}).unwrap_or_default()];
        let QueueBindings { events, email, billing } = QueueBindings::bind(&self.0)?;
        let mut checks = Vec::new();
        for (name, queue) in [("eventsQueue", events), ("emailQueue", email), ("billingQueue", billing)] {
            checks.push((name, QueueBindings::send_to(&queue, &body).await.is_ok()));
        }
        Ok(checks)
    }

    async fn assets(&self) -> worker::Result<bool> {
        let page = self.0.assets("ASSETS")?.fetch("https://assets/docs", None).await?;
        Ok(page.status_code() == 200)
    }
}

impl Probes for EdgeProbes {
    fn probe(&self) -> BoxFuture<'_, Vec<(&'static str, bool)>> {
        Box::pin(SendFuture::new(async move {
            let mut checks = self.queues().await.unwrap_or_else(|_| vec![("queues", false)]);
            checks.push(("assets", self.assets().await.unwrap_or(false)));
            checks
        }))
    }
}

impl Queues for QueueBindings {
    fn send(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<()>> {
        Box::pin(SendFuture::new(async move {
            let (mut events, mut email, mut billing) = (Vec::new(), Vec::new(), Vec::new());
            for message in messages {
                let bodies = match message {
                    Message::Event { .. } => &mut events,
                    Message::Mail { .. } | Message::Login { .. } => &mut email,
                    // Work that takes longer than the processing of one row.
                    Message::Billing { .. } | Message::BillingPage(_) | Message::Work { .. } => &mut billing,
                    // `EdgeProbes` sends probes to each queue itself.
                    Message::Probe {} => continue,
                };
                bodies.push(serde_json::to_string(&message).or_internal()?);
            }
            Self::send_to(&self.events, &events).await?;
            Self::send_to(&self.email, &email).await?;
            Self::send_to(&self.billing, &billing).await
        }))
    }
}
