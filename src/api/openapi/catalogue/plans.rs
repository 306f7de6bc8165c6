//! Problems of the catalogue: metrics, plans, prices, entitlements.

problems! {
    409 metric_exists at createMetric:
        "A metric with this key exists, and a metric never changes."
        "Send another key.";
    409 event_type_taken at createMetric:
        "Another metric counts events of this type."
        "Send another `eventType`.";
    409 too_many_metrics at createMetric:
        "There are as many metrics as there may be."
        "Use an existing metric.";
    409 plan_exists at createPlan:
        "A plan with this key exists."
        "Publish its next version with POST /v1/plans/{key}/versions, or send another key.";
    409 too_many_versions at createPlanVersion:
        "The plan has as many versions as it may have."
        "Create another plan with POST /v1/plans.";
    400 contract_is_fixed at createPlanVersion:
        "The organization of a contract cannot change."
        "Leave `organization` out.";
    400 key_mismatch at createPlanVersion:
        "The key in the body differs from the key in the path."
        "Leave the key out, or send the key of the path.";
    400 unknown_organization at createPlan:
        "There is no such organization."
        "GET /v1/organizations lists the organizations.";
    400 currency_not_sold at createPlan createPlanVersion:
        "The price is in a currency that the plan has no base price in."
        "Add a base price in this currency, or leave the price out.";
    400 duplicate_key at createPlan createPlanVersion:
        "The key is in the list twice."
        "Send each key once.";
    400 duplicate_price at createPlan createPlanVersion:
        "There are two prices for the same currency and interval."
        "Send one price for each.";
    400 feature_type_mismatch at createPlan createPlanVersion putEntitlement:
        "The value of the feature has another type than the feature."
        "Send a value of the type that `detail` names.";
    400 included_above_limit at createPlan createPlanVersion:
        "The included amount is larger than the limit, so it can never be used."
        "Lower `included`, or raise `limit`.";
    400 invalid_key at createPlan createPlanVersion:
        "The key has the wrong form."
        "Send letters, digits, `_`, `.` and `-`, beginning with a letter.";
    400 kind_mismatch at createPlan createPlanVersion:
        "The metric is of another kind."
        "Send the kind of the metric; GET /v1/metrics/{key} shows it.";
    400 no_price at createPlan createPlanVersion:
        "The plan has no base price."
        "Send at least one price.";
    400 price_missing_in_currency at createPlan createPlanVersion:
        "A price lacks a currency that the plan is sold in."
        "Send the price in each currency of the base prices.";
    400 too_many at createPlan createPlanVersion:
        "The list has more entries than it may have."
        "Send at most the number that `detail` names.";
    400 last_tier_bounded at createPlan createPlanVersion estimatePrice:
        "The last tier has a bound, so larger quantities have no price."
        "Leave `upTo` of the last tier out, or send null.";
    400 minimum_above_maximum at createPlan createPlanVersion estimatePrice:
        "The minimum is larger than the maximum."
        "Lower the minimum, or raise the maximum.";
    400 negative_price at createPlan createPlanVersion estimatePrice:
        "A price is negative."
        "Send amounts of 0 or more.";
    400 no_tiers at createPlan createPlanVersion estimatePrice:
        "The price has no tiers."
        "Send at least one tier.";
    400 too_many_tiers at createPlan createPlanVersion estimatePrice:
        "The price has more tiers than it may have."
        "Send at most the number that `detail` names.";
    400 tier_bound_missing at createPlan createPlanVersion estimatePrice:
        "A tier before the last one has no bound."
        "Send `upTo` for each tier but the last.";
    400 tiers_not_ascending at createPlan createPlanVersion estimatePrice:
        "The bounds of the tiers do not ascend."
        "Order the tiers by `upTo`, each above the one before.";
    400 package_size_not_positive at createPlan createPlanVersion estimatePrice:
        "The size of a package is 0 or negative."
        "Send a `packageSize` above 0.";
    400 rate_too_precise at createPlan createPlanVersion estimatePrice:
        "The rate has more decimals than can be computed exactly."
        "Send fewer decimals.";
    400 price_needs_events at createPlan createPlanVersion estimatePrice:
        "A percentage price looks at each event, and here only a quantity is known."
        "For an estimate, send `events`; for a plan, use `graduated_percentage`.";
    400 unknown_currency at createPlan createPlanVersion estimatePrice:
        "The currency is not one that amounts can be charged in."
        "Send an ISO 4217 code, such as USD.";
    400 quantity_or_events at estimatePrice:
        "The estimate has both a quantity and events, or neither."
        "Send one of them.";
    400 same_version at previewMigration migrateSubscribers:
        "The migration leads to the version that it starts from."
        "Send another version in `to`.";
    400 unknown_version at previewMigration migrateSubscribers:
        "The plan has no such version."
        "GET /v1/plans/{key}/versions lists the versions.";
    409 entitlement_is_metered at putEntitlement:
        "The feature follows from the limit of a metric."
        "Set the limit with PUT /v1/organizations/{id}/limits/{metric}.";
    409 too_many_entitlements at putEntitlement:
        "The organization has as many overrides of entitlements as it may have."
        "Delete overrides that are no longer needed.";
}
