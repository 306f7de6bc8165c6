//! One page of the run, and the message that asks for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::{OrganizationId, SubscriptionId, TestClockId};
use crate::kernel::ports::Message;
use crate::kernel::time::Timestamp;

/// A page of the billing run: due subscriptions of one shard, in real time or on test clocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingPage {
    pub shard: usize,
    pub timeline: Timeline,
    /// The position after which the page begins; None for the first page.
    pub after: Option<BillingCursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Timeline {
    Real,
    TestClocks,
}

/// A position in the order of due dates: after this subscription, or after all of this instant where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingCursor {
    pub clock: Option<TestClockId>,
    pub next_billing_at: Timestamp,
    pub organization: Option<OrganizationId>,
    pub subscription: Option<SubscriptionId>,
}

impl BillingPage {
    /// The message that requests the page.
    pub fn message(&self) -> Result<Message> {
        match serde_json::to_value(self).or_internal()? {
            Json::Object(page) => Ok(Message::BillingPage(page)),
            other => Err(Error::internal(format!("a page is written as {other}"))),
        }
    }

    /// The page that a message requests.
    pub fn read(page: Map<String, Json>) -> Result<Self> {
        serde_json::from_value(page.into()).map_err(|error| Error::internal(format!("a page can't be read: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_page_is_read_as_the_same_page() {
        let after = BillingCursor { clock: None, next_billing_at: Timestamp::from_millis(7), organization: None, subscription: None };
        for after in [None, Some(after)] {
            let page = BillingPage { shard: 3, timeline: Timeline::TestClocks, after };
            let sent = serde_json::to_string(&page.message().unwrap()).unwrap();
            let Ok(Message::BillingPage(received)) = serde_json::from_str(&sent) else { panic!("{sent}") };
            assert_eq!(BillingPage::read(received), Ok(page));
        }
    }

    #[test]
    fn pages_that_wait_in_a_queue_are_still_read() {
        let sent = r#"{"message":"billingPage.v1","shard":1,"timeline":"real","after":null}"#;
        let Ok(Message::BillingPage(received)) = serde_json::from_str(sent) else { panic!("{sent}") };
        assert_eq!(BillingPage::read(received), Ok(BillingPage { shard: 1, timeline: Timeline::Real, after: None }));
    }
}
