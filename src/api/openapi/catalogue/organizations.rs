//! Problems of organizations: their life, exports, moves, onboarding and test clocks; and of the platform's keys.

problems! {
    400 clock_moves_forward_only at advanceTestClock:
        "The clock stands at a later time."
        "Send a later time, or create another test clock.";
    409 already_cancelled at cancelOwnOrganization deleteOrganization:
        "The organization is cancelled already."
        "To keep the organization, send DELETE /v1/organization/cancellation.";
    409 already_owner at transferOwnership:
        "The member is an owner already."
        "To demote another owner, change the role of that member.";
    409 already_there at moveOrganization:
        "The organization is in this database already."
        "Send the number of another database.";
    409 move_in_progress at moveOrganization:
        "A move of the organization is running."
        "Wait until the move is finished; GET /v1/organizations/{id}/moves shows its progress.";
    409 no_owner at transferOwnership:
        "The organization has no owner yet."
        "Give a member the role owner with PATCH /v1/members/{id}.";
    409 organization_cancelled at suspendOrganization resumeOrganization:
        "The organization is cancelled, so its suspension cannot change."
        "Withdraw the cancellation first: DELETE /v1/organization/cancellation.";
    409 organization_not_cancelled at withdrawOwnCancellation:
        "The organization is not cancelled."
        "Leave the organization as it is.";
    409 organization_not_suspended at resumeOrganization:
        "The organization is not suspended."
        "Leave the organization as it is.";
    409 item_completed at completeOnboardingItem:
        "The item is completed, and a completed item stays completed."
        "Leave the item as it is.";
    409 export_failed at getExportContent:
        "The export failed."
        "Create another one with POST /v1/exports.";
    409 export_not_done at getExportContent:
        "The export is not finished."
        "Retry when its `status` is `done`.";
    410 export_expired at getExportContent:
        "The export has expired, and its content was deleted."
        "Create another one with POST /v1/exports.";
    416 range_not_satisfiable at getExportContent:
        "The range begins behind the end of the export."
        "Send a range within the size in `Content-Range`.";
    409 master_key_missing at rotateSealingKeys createSession refreshSession enrolSecondFactor confirmSecondFactor removeSecondFactor
        createSigningKey:
        "A master key that still wraps stored keys is not among TENANTRY_MASTER_KEYS."
        "Add its secret behind the newest one until a rotation is complete.";
}
