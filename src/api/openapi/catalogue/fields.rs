//! Codes of `errors`, each for one place of the request.

use super::kind::FieldKind;

/// One code of `errors`: its meaning and its remedy.
macro_rules! fields {
    ($($code:ident: $meaning:literal $remedy:literal;)*) => {
        pub(super) const FIELDS: &[FieldKind] =
            &[$(FieldKind { code: stringify!($code), meaning: $meaning, remedy: $remedy }),*];
    };
}

fields! {
    invalid_action:
        "The filter has not the form of an action."
        "Send an action such as `apiKey.created`, or `apiKey.*` for all actions of a resource.";
    invalid_cursor:
        "The cursor is not one of this list, or its row is gone."
        "Start the list again without a cursor.";
    invalid_grace_hours:
        "The number of hours is outside of the range."
        "Send a number within the range that `detail` names.";
    invalid_limit:
        "The size of a page is outside of the range."
        "Send a limit from 1 to 100.";
    invalid_logo:
        "The logo is not an image that can be printed."
        "Send a PNG or JPEG of the size that `detail` names.";
    invalid_query:
        "A query parameter is unknown, repeated, or of the wrong type."
        "Send only the parameters of the operation, in their types.";
    invalid_value:
        "The value is of the wrong type or outside of its range, or the field is unknown or missing."
        "Send a value as `detail` says.";
    malformed_json:
        "The body is not well-formed JSON."
        "Correct the JSON at the line and column that `detail` names.";
    malformed_request:
        "The request did not reach the Meter in one piece."
        "Send the request again.";
    not_an_owner:
        "The named member is not an owner."
        "Name a member with the role owner.";
    several_owners:
        "The organization has several owners, and the request names none of them."
        "Name the owner in `from`.";
    unknown_member:
        "The organization has no such member."
        "GET /v1/members lists the members.";
    unknown_parameter:
        "The operation has no such query parameter."
        "Leave the parameter out.";
    unknown_shard:
        "There is no database of this number."
        "Send the number of a database from 0 on, as `detail` says.";
    unknown_test_clock:
        "There is no such test clock."
        "Create one with POST /v1/test-clocks.";
}
