//! Problems that follow from the form of a request.

problems! {
    400 invalid_request at INPUT listDeadLetters listEntitlements getLedger getLedgerAudit getUsage listSigningKeys:
        "A part of the request is not valid; `errors` names each place and its own code."
        "Correct the named places and send the request again.";
    400 invalid_idempotency_key at KEYED:
        "The `Idempotency-Key` is empty, too long, or not printable ASCII."
        "Send 1 to 255 printable characters, such as a UUID.";
    400 organization_required at ORGANIZATION:
        "A platform key was used on an endpoint of an organization, and the request names no organization."
        "Send the id of the organization in the header `Tenantry-Organization`.";
    401 unauthenticated at CREDENTIAL createAccessToken:
        "The credential is missing, unknown, forged, expired or revoked."
        "Send a valid key or access token as `Authorization: Bearer ...`.";
    403 forbidden at CREDENTIAL:
        "The credential lacks a permission, which `missingPermission` names, or this kind of credential is not accepted here."
        "Use a key whose scopes include the permission, or ask for a role that does.";
    403 organization_suspended at TENANT_WRITE:
        "The organization is suspended: its credentials may read and export, and not write."
        "Ask your provider to resume the organization.";
    403 organization_cancelled at TENANT_WRITE:
        "The organization is cancelled: its credentials may read and export, and not write."
        "Withdraw the cancellation with DELETE /v1/organization/cancellation to restore the organization.";
    404 not_found at NAMED ORGANIZATION getSecondFactor removeSecondFactor checkPermission createCreditNote replayDeadLetter createSession:
        "There is no such object, or it belongs to another organization."
        "Check the id, and that the credential belongs to the organization of the object.";
    403 origin_not_allowed at:
        "A page of an origin that is not allowed asked, in a preflight, to call the API."
        "Add the origin with PUT /v1/allowed-origins, or call the API from your server.";
    404 route_not_found at:
        "The endpoint does not exist."
        "See /docs or /openapi.json for all endpoints.";
    405 method_not_allowed at:
        "The endpoint exists and does not take this method."
        "Use one of the methods in the header `Allow`.";
    409 changed_meanwhile at WRITE:
        "The resource was changed concurrently several times, so this change was given up; nothing was changed."
        "Read the resource again and retry.";
    409 idempotency_in_flight at STORED:
        "A request with this `Idempotency-Key` is still running."
        "Retry in a second with the same key.";
    413 body_too_large at BODY:
        "The body is larger than 64 KiB, or than 1 MiB for a batch."
        "Split the body into several requests.";
    415 unsupported_media_type at BODY:
        "The `Content-Type` is not one that the endpoint reads."
        "Send JSON with `Content-Type: application/json`; CloudEvents with the types of their standard.";
    422 idempotency_mismatch at KEYED:
        "The `Idempotency-Key` was used for another request."
        "Use a new key for a new request, or send the same body to repeat the earlier one.";
    429 rate_limited at RATE_LIMITED confirmSecondFactor removeSecondFactor:
        "Too many requests came in a short time."
        "Wait for the seconds in `Retry-After`. For bulk usage, use POST /v1/usage/batch.";
    500 internal_error at EVERY:
        "An internal error occurred; the log has its cause under the request id."
        "Retry with the same `Idempotency-Key`. If the problem stays, report the `requestId`.";
    503 organization_moving at MOVABLE:
        "The organization is being moved to another database for a moment. Nothing was changed."
        "Retry after the seconds in `Retry-After`, with the same `Idempotency-Key`.";
    503 unavailable at EVERY:
        "A database or an object did not answer."
        "Retry after the seconds in `Retry-After`, with the same `Idempotency-Key`.";
}
