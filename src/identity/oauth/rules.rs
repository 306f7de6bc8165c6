//! What a client is, what may be asked of one, and which scopes its tokens get.

use std::time::Duration;

use super::client::OauthClient;
use super::store;
use crate::identity::key_lifecycle::maker::Maker;
use crate::identity::key_lifecycle::rules::{check_name, check_scopes};
use crate::identity::members;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{ClientId, Moment};
use crate::kernel::problem::Problem;

pub fn create(name: &str, scopes: Vec<String>, maker: Maker, moment: Moment<'_>) -> Result<(OauthClient, Decision), Problem> {
    check_scopes(&scopes)?;
    let client = OauthClient {
        id: ClientId::new(moment),
        name: check_name(name)?,
        scopes,
        generation: 1,
        previous_until: None,
        created_by: maker.name,
        person: maker.person,
        created_at: moment.now,
        revoked_at: None,
        last_used_at: None,
    };
    let guarded = client.person.map_or_else(Decision::new, |person| Decision::new().guard(members::store::is_still_member(person)));
    let decision =
        guarded.write(store::insert(&client)).audit("oauthClient.created", client.id.to_string(), None, Some(described(&client)));
    Ok((client, decision))
}

/// Gives the client its next secret; the one before stays good for `overlap`.
pub fn rotate(old: &OauthClient, overlap: Duration, moment: Moment<'_>) -> Result<(OauthClient, Decision), Problem> {
    let until = (!overlap.is_zero()).then(|| moment.now.plus(overlap));
    let client = OauthClient { generation: old.generation.saturating_add(1), previous_until: until, ..old.clone() };
    let decision = Decision::new().guard(store::is_as_read(old)).write(store::renew(&client)).audit(
        "oauthClient.rotated",
        client.id.to_string(),
        None,
        Some(serde_json::json!({"generation": client.generation, "previousUntil": until})),
    );
    Ok((client, decision))
}

/// Deletes a client for good: its row stays for the log's sake, and nobody finds it any more. Nothing to do when it is deleted.
pub fn delete(client: &OauthClient, moment: Moment<'_>) -> Decision {
    if client.revoked_at.is_some() {
        return Decision::new();
    }
    Decision::new().write(store::revoke(client.id, moment.now)).audit(
        "oauthClient.deleted",
        client.id.to_string(),
        Some(described(client)),
        None,
    )
}

fn described(client: &OauthClient) -> serde_json::Value {
    serde_json::json!({"name": client.name, "scopes": client.scopes})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Timestamp;

    fn client(scopes: &[&str]) -> OauthClient {
        OauthClient {
            id: ClientId::from_bytes([1; 16]),
            name: "reports".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            generation: 2,
            previous_until: Some(Timestamp::from_millis(10)),
            created_by: "platform".into(),
            person: None,
            created_at: Timestamp::from_millis(0),
            revoked_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_secret_is_good_until_its_overlap_is_over() {
        let check = |generation, millis, expected| {
            assert_eq!(client(&["*"]).accepts(generation, Timestamp::from_millis(millis)), expected, "{generation} at {millis}");
        };
        check(2, 0, true);
        check(2, 99, true);
        check(1, 9, true);
        check(1, 10, false);
        check(0, 0, false);
        check(3, 0, false);
        let gone = OauthClient { revoked_at: Some(Timestamp::from_millis(1)), ..client(&["*"]) };
        assert!(!gone.accepts(2, Timestamp::from_millis(2)));
    }

    #[test]
    fn a_token_gets_at_most_its_clients_scopes() {
        let check = |held: &[&str], asked: &[&str], granted: Option<&[&str]>| {
            let asked: Vec<String> = asked.iter().map(|scope| (*scope).to_owned()).collect();
            let granted = granted.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
            assert_eq!(client(held).grant(&asked), granted, "{asked:?} of {held:?}");
        };
        check(&["usage.*"], &[], Some(&["usage.*"]));
        check(&["usage.*"], &["usage.read"], Some(&["usage.read"]));
        check(&["usage.*"], &["usage.read", "usage.read"], Some(&["usage.read"]));
        check(&["usage.read"], &["usage.*"], None);
        check(&["usage.read"], &["usage.read", "invoices.read"], None);
        check(&["usage.*"], &["*"], None);
        check(&["*"], &["no.such"], None);
    }
}
