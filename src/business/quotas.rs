//! Quotas: the steps after usage exceeds a limit.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::UsageExceeded;
use crate::workflow;

workflow! { "quotas", "When a quota is exhausted, administrators are notified once per period.";
    when UsageExceeded => [notify_administrators];
}

fn notify_administrators(usage: &UsageExceeded, company: &Company) -> Vec<Action> {
    let reason = format!("quota-exceeded:{}:{}", usage.metric, usage.period_starts_at);
    let data = json!({
        "metric": usage.metric,
        "current": usage.current,
        "limit": usage.limit,
        "isHard": usage.is_hard,
        "upgradeUrl": format!("{}/billing/upgrade", company.app_url),
    });
    company.mail_administrators("quota-exceeded", &reason, &data)
}
