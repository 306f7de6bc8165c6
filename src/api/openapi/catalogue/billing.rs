//! Problems of subscriptions, invoices, payments, credits.

problems! {
    404 no_subscription at getSubscription updateSubscription changeSubscription previewSubscriptionChange revokeScheduledChange
        cancelSubscription withdrawSubscriptionCancellation pauseSubscription resumeSubscription suspendSubscription unsuspendSubscription
        simulate listEntitlements getEntitlement getUpcomingInvoice:
        "The organization has no subscription."
        "Create one with POST /v1/subscription.";
    404 nothing_upcoming at getUpcomingInvoice:
        "The end of the running period charges nothing."
        "GET /v1/subscription shows the status of the subscription.";
    409 subscription_running at createSubscription:
        "The organization has a subscription."
        "Change it with POST /v1/subscription/changes, or cancel it first.";
    409 trial_used at createSubscription:
        "A trial is for the first subscription of an organization."
        "Send \"trial\": false, or ask the vendor for a trial.";
    400 no_trial at createSubscription:
        "The plan has no trial."
        "Send \"trial\": false.";
    400 unknown_plan at createSubscription changeSubscription previewSubscriptionChange simulate:
        "There is no such plan for this organization."
        "GET /v1/plans lists the plans.";
    400 unknown_plan_version at createSubscription changeSubscription previewSubscriptionChange:
        "The plan has no such version."
        "GET /v1/plans/{key}/versions lists the versions.";
    409 plan_archived at createSubscription changeSubscription previewSubscriptionChange createOrganization signUp:
        "The plan is archived, so no subscription begins on it."
        "Choose another plan; GET /v1/plans lists the plans.";
    409 plan_hidden at createSubscription changeSubscription previewSubscriptionChange signUp:
        "Only the vendor subscribes organizations to this plan."
        "Choose another plan, or ask the vendor.";
    400 unknown_add_on at createSubscription changeSubscription previewSubscriptionChange simulate:
        "The plan has no such add-on."
        "GET /v1/plans/{key} shows the add-ons of the plan.";
    400 plan_not_sold_in_currency at createSubscription changeSubscription previewSubscriptionChange simulate:
        "The plan or its add-on has no price in this currency and interval."
        "Choose another interval, or a plan with such a price.";
    400 invalid_quantity at simulate createSubscription changeSubscription previewSubscriptionChange estimatePrice:
        "The quantity is outside of the range."
        "Send a quantity within the range that `detail` names.";
    400 nothing_to_simulate at simulate:
        "The range contains no billed month."
        "Send a range with a month that has ended.";
    400 too_many_periods at simulate:
        "The range has more months than one simulation covers."
        "Send a shorter range.";
    409 no_change at changeSubscription previewSubscriptionChange:
        "The subscription is already as the request asks."
        "Send a plan, interval, quantity or add-on that differs.";
    409 interval_needs_proration at changeSubscription previewSubscriptionChange:
        "Another billing period starts at once, and the proration policy credits no unused time."
        "Choose another policy, or change at the end of the period.";
    409 change_scheduled at changeSubscription previewSubscriptionChange pauseSubscription:
        "A change is scheduled for the end of the billing period."
        "Revoke it with DELETE /v1/subscription/scheduled-change first.";
    409 cancellation_pending at changeSubscription previewSubscriptionChange cancelSubscription pauseSubscription:
        "The subscription ends with its period."
        "Withdraw the cancellation with DELETE /v1/subscription/cancellation first.";
    409 no_scheduled_change at revokeScheduledChange:
        "No change is scheduled."
        "Leave the subscription as it is.";
    409 no_cancellation at withdrawSubscriptionCancellation:
        "The subscription is not about to end."
        "Leave the subscription as it is.";
    409 period_being_billed at previewSubscriptionChange:
        "A period has just ended, and its invoice is being created."
        "Preview again within the hour, or make the change, which bills that period first.";
    409 usage_above_new_limit at changeSubscription previewSubscriptionChange:
        "A level in use is above the hard limit of the new plan; `metric`, `current` and `limit` name them."
        "Reduce the level first, or change at the end of the period.";
    409 subscription_ended at updateSubscription changeSubscription previewSubscriptionChange revokeScheduledChange cancelSubscription
        withdrawSubscriptionCancellation pauseSubscription resumeSubscription suspendSubscription unsuspendSubscription:
        "The subscription has ended."
        "Create another one with POST /v1/subscription.";
    409 subscription_on_trial at pauseSubscription suspendSubscription:
        "The subscription is on trial."
        "Change or cancel it, or wait for its first paid period.";
    409 subscription_paused at changeSubscription previewSubscriptionChange revokeScheduledChange cancelSubscription
        withdrawSubscriptionCancellation pauseSubscription suspendSubscription:
        "The subscription is paused."
        "Resume it with DELETE /v1/subscription/pause, or cancel it with \"effective\": \"now\".";
    409 subscription_suspended at changeSubscription previewSubscriptionChange pauseSubscription suspendSubscription:
        "The subscription is suspended."
        "Ask the vendor to end the suspension first.";
    409 payment_past_due at pauseSubscription:
        "An invoice is overdue."
        "Pay the invoice first, then pause.";
    409 not_paused at resumeSubscription:
        "The subscription is not paused."
        "GET /v1/subscription shows its status.";
    409 not_suspended at unsuspendSubscription:
        "The subscription is not suspended."
        "GET /v1/subscription shows its status.";
    409 invoice_draft at createPayment voidInvoice writeOffInvoice createCreditNote:
        "The invoice is still a draft."
        "Retry in a second.";
    409 invoice_paid at createPayment voidInvoice writeOffInvoice:
        "The invoice is paid."
        "To return money, create a credit note with POST /v1/credit-notes.";
    409 invoice_void at createPayment voidInvoice writeOffInvoice createCreditNote:
        "The invoice was voided."
        "It can be neither paid nor credited; leave it as it is.";
    409 invoice_uncollectible at voidInvoice writeOffInvoice createCreditNote:
        "The invoice was written off."
        "It can only be paid: POST /v1/invoices/{id}/payment.";
    409 invoice_credited at voidInvoice:
        "The invoice has credit notes."
        "Credit the rest of it with POST /v1/credit-notes.";
    409 more_than_due at createPayment:
        "The payment is larger than the amount due."
        "Send at most the amount due.";
    400 currency_mismatch at createPayment createCredit createCreditNote createDiscount createPlan createPlanVersion:
        "The amount is in another currency than the one that is charged."
        "Send the amount in the currency that `detail` names.";
    409 refund_paid at payRefund:
        "The refund is already paid out."
        "GET /v1/refunds shows its payout.";
    400 more_than_left at createCreditNote:
        "The line has less left to credit."
        "Send at most the amount that `detail` names.";
    409 more_than_invoiced at createCreditNote:
        "The credit notes together would exceed the invoice."
        "Send at most the amount that `detail` names.";
    409 nothing_to_credit at createCreditNote:
        "The whole invoice is credited."
        "Leave the invoice as it is.";
    409 too_many_credit_notes at createCreditNote:
        "The invoice has as many credit notes as it may have."
        "Credit its lines in larger amounts.";
    409 too_many_credits at createCredit:
        "The organization has as many credits as it may have."
        "Delete credits that are no longer needed.";
    409 too_many_discounts at createDiscount:
        "The organization has as many discounts as it may have."
        "Delete discounts that are no longer needed.";
}
