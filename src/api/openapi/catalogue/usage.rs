//! Problems of usage, quotas, reservations and limits.

problems! {
    400 amount_negative at recordUsage consumeUsage recordEvents createReservation settleReservation getQuota:
        "The amount is negative, and this metric or endpoint takes none below 0."
        "Send a positive amount. Only levels can be lowered, with POST /v1/usage.";
    400 amount_not_counted at recordUsage consumeUsage recordEvents:
        "The metric counts events or distinct values, and the request sends an amount."
        "Leave the amount out, or send 1.";
    400 amount_too_large at recordUsage consumeUsage recordEvents createReservation settleReservation createPlan createPlanVersion:
        "The amount, or the count that it would lead to, is larger than can be stored or invoiced."
        "Send a smaller amount.";
    400 amount_zero at recordUsage consumeUsage recordEvents createReservation getQuota:
        "An amount of 0 counts nothing."
        "Send a positive amount, or no request at all.";
    400 idempotency_keys_differ at recordUsage consumeUsage:
        "The idempotency keys in the header and in the body differ."
        "Send one of them.";
    400 invalid_attribute at recordEvents:
        "An attribute of the CloudEvent has the wrong form."
        "Send the attribute as CloudEvents 1.0 defines it.";
    400 missing_attribute at recordEvents:
        "The CloudEvent lacks a required attribute."
        "Send `specversion`, `type`, `source` and `id`.";
    400 unsupported_data at recordEvents:
        "The data of the CloudEvent is no JSON object."
        "Send data such as {\"amount\":5}, or none at all to count 1.";
    400 unsupported_specversion at recordEvents:
        "The CloudEvent is of another version of the standard."
        "Send `specversion` \"1.0\".";
    400 invalid_range at getUsageHistory exportUsageEvents exportUsageProof listAuditLog exportAuditLog listPlatformAuditLog
        exportPlatformAuditLog simulate:
        "The range of time is empty or reversed."
        "Send a `from` that is earlier than `to`.";
    400 range_too_large at getUsageHistory:
        "The range has more entries than one response holds."
        "Ask for a shorter range, or for days instead of hours.";
    400 level_below_zero at recordUsage consumeUsage recordEvents:
        "The amount would lower the level below 0."
        "Lower the level by at most its current value.";
    400 no_events at recordUsageBatch recordEvents:
        "The batch is empty."
        "Send 1 to 1,000 events.";
    400 too_many_events at recordUsageBatch recordEvents estimatePrice:
        "The request has more events than one request may have."
        "Split the events into several requests.";
    400 reservation_unsupported at createReservation:
        "Amounts of this metric do not add up, so they cannot be held."
        "Record the usage with POST /v1/usage.";
    400 settlement_exceeds_reservation at settleReservation:
        "The used amount is larger than the reserved one."
        "Send at most the reserved amount, or `allowOverage`.";
    400 ttl_out_of_range at createReservation:
        "The duration of the reservation is outside of the range."
        "Send `ttlSeconds` within the range that `detail` names.";
    400 timestamp_before_subscription at recordUsage consumeUsage recordEvents:
        "The usage happened before the subscription began."
        "Send usage that happened since then.";
    400 timestamp_in_future at recordUsage consumeUsage recordEvents:
        "The timestamp is more than 5 minutes ahead."
        "Send the time at which the usage happened, or no timestamp.";
    400 timestamp_too_old at recordUsage consumeUsage recordEvents:
        "The timestamp is older than 35 days, the time for which idempotency keys are kept."
        "Send usage that happened within the last 35 days.";
    400 unique_property_missing at recordUsage consumeUsage recordEvents:
        "The metric counts distinct values of a property, and the event lacks the property."
        "Send the property in `metadata`.";
    400 unknown_metric at recordUsage consumeUsage recordEvents createReservation createGrant putLimit deleteLimit getUsageHistory
        createPlan createPlanVersion:
        "There is no such metric."
        "GET /v1/metrics lists the metrics; POST /v1/metrics defines one.";
    404 unknown_metric at getQuota:
        "There is no such metric."
        "GET /v1/metrics lists the metrics; POST /v1/metrics defines one.";
    403 quota_exceeded at consumeUsage createReservation createInvitation:
        "The level would exceed its limit; `current`, `limit` and `required` give the amounts."
        "Reduce the level, or change to a plan with a higher limit.";
    429 quota_exceeded at consumeUsage createReservation:
        "The usage of the period would exceed its limit; `current`, `limit` and `required` give the amounts."
        "Wait until the period ends (`Retry-After`), or change to a plan with a higher limit.";
    409 metric_is_counted at recordUsage consumeUsage recordEvents createReservation settleReservation:
        "The members of the organization are counted by Tenantry itself."
        "Do not record this metric. Invite or remove members instead.";
    409 no_subscription at recordUsage consumeUsage recordUsageBatch recordEvents createReservation settleReservation releaseReservation
        getReservation getQuota getUsage createInvitation:
        "The organization has no subscription yet, so it has no limits."
        "Retry within a minute after the sign-up, or create a subscription with POST /v1/subscription.";
    409 reservation_expired at settleReservation:
        "The reservation expired, and its amount was released."
        "Record the usage with POST /v1/usage.";
    409 reservation_released at settleReservation:
        "The reservation was released."
        "Record the usage with POST /v1/usage.";
    409 reservation_settled at settleReservation releaseReservation:
        "The reservation is settled: its usage is recorded."
        "Record more usage with POST /v1/usage.";
    409 too_many_reservations at createReservation:
        "As many reservations are active as an organization may have."
        "Settle or release reservations, or choose a shorter `ttlSeconds`.";
    409 too_many_grants at createGrant:
        "The organization has as many grants as it may have."
        "Delete grants that are no longer needed.";
    503 too_many_feeds at followUsage:
        "The organization has as many live feeds as it may have."
        "Close a feed, and share feeds between your users.";
    406 not_acceptable at followUsage getInvoice:
        "The resource has no representation of the types in `Accept`."
        "Ask for one of the types that `detail` names.";
}
