//! Quotas: what happens when a limit is reached.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::UsageExceeded;
use crate::workflow;

workflow! { "quotas", "When a limit is used up, those who can do something about it hear of it, once a period.";
    when UsageExceeded => [warn_administrators];
}

fn warn_administrators(usage: &UsageExceeded, company: &Company) -> Vec<Action> {
    let reason = format!("quota-exceeded:{}:{}", usage.metric, usage.period_starts_at);
    let data = json!({
        "metric": usage.metric,
        "current": usage.current,
        "limit": usage.limit,
        "upgradeUrl": format!("{}/billing/upgrade", company.app_url),
    });
    company.mail_administrators("quota-exceeded", &reason, &data)
}
