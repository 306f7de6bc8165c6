//! Proofs of invoices, made by the real code and checked by the verifier; and what is said when anything in them is changed.

use std::collections::BTreeMap;

use futures::executor::block_on;
use rating::{Discount, DiscountDuration, Money, Off, TaxRate};
use serde_json::{Value, json};
use tenantry::billing::charging::compose::{Credit, GrantedDiscount, NamedTax, Terms, compose};
use tenantry::billing::invoices::line::Line;
use tenantry::billing::invoices::store;
use tenantry::catalog::plans::built_in::built_in;
use tenantry::kernel::ids::{CreditId, DiscountId};
use tenantry::kernel::tenant::{Actor, Tenant};
use tenantry::kernel::time::Timestamp;
use tenantry::meter::contract::Call;

use crate::support::world::{Company, World};

/// A plan with everything that can be charged for: seats, tiers, an add-on that raises what is included, a minimum.
fn plan(version: u32, change: impl FnOnce(&mut Value)) -> Value {
    let mut plan = serde_json::to_value(built_in("professional").unwrap()).unwrap();
    let price = |amount: &str, interval: &str, currency: &str| json!({"currency": currency, "interval": interval, "price": {"model": "per_unit", "unitAmount": amount}});
    plan["key"] = json!("scale");
    plan["name"] = json!("Scale");
    plan["version"] = json!(version);
    plan["prices"] = json!([price("33.33", "month", "USD"), price("399.60", "year", "USD"), price("3333", "month", "JPY")]);
    plan["metrics"][0]["included"] = json!(1_000);
    plan["metrics"][0]["prices"] = json!({
        "USD": {"model": "graduated", "tiers": [{"upTo": "500", "unitAmount": "0.011", "flatAmount": "5"}, {"upTo": null, "unitAmount": "0.007"}]},
        "JPY": {"model": "per_unit", "unitAmount": "7", "freeUnits": "49"},
    });
    plan["addOns"] = json!([{"key": "calls", "name": "More calls", "prices": [price("10.01", "month", "USD"), price("1000", "month", "JPY")],
        "limits": {"apiCalls": 250}, "features": []}]);
    plan["publishedAt"] = json!("2026-01-01T00:00:00Z");
    change(&mut plan);
    plan
}

fn publish(world: &World, plan: &Value) {
    let text = plan.to_string().replace('\'', "''");
    let statement = format!(
        "INSERT INTO plan_versions (key, version, document, published_at) VALUES ('{}', {}, '{text}', 0)",
        plan["key"].as_str().unwrap(),
        plan["version"]
    );
    world.directory.meddle(&statement).unwrap();
}

/// A company that signed up for so many seats of version 1 and so many add-ons.
fn company<'w>(world: &'w World, seats: u32, add_ons: &str) -> Company<'w> {
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    let shape = format!("plan = 'scale', plan_version = 1, quantity = {seats}, add_ons = '{add_ons}'");
    meddle(world, &format!("UPDATE subscriptions SET {shape}; UPDATE subscription_phases SET {shape}"));
    acme
}

fn meddle(world: &World, text: &str) {
    world.shards.iter().for_each(|shard| shard.meddle(text).unwrap());
}

fn tenant(acme: &Company<'_>) -> Tenant {
    block_on(acme.world.platform().tenant(acme.id.parse().unwrap(), Actor::System("the test"), None)).unwrap().unwrap()
}

fn use_calls(acme: &Company<'_>, amount: u32) {
    acme.world.post(&acme.vendor(), "/v1/usage", &json!({"metric": "apiCalls", "amount": amount})).expect(200);
}

fn proof(acme: &Company<'_>, invoice: &Value) -> Value {
    acme.get(&format!("/v1/invoices/{}/proof", invoice["$id"].as_str().unwrap()))
}

fn usage_proof(acme: &Company<'_>) -> String {
    acme.world.get(&acme.vendor(), "/v1/usage/proof").text
}

#[track_caller]
fn assert_verified(proof: &Value) -> String {
    let found = verify::verify_invoice(&proof.to_string(), None).unwrap();
    assert_eq!(found.verdict, Ok(()), "{found}\n{proof:#}");
    found.to_string()
}

/// Every invoice of the company's is computed again.
#[track_caller]
pub fn assert_all_verified(company: &Company<'_>) {
    for invoice in company.invoices() {
        assert_verified(&proof(company, &invoice));
    }
}

/// The invoice as it would be under other terms: the same lines, composed by the same code.
fn with_terms(acme: &Company<'_>, invoice: &Value, terms: &Terms) {
    let invoice = block_on(store::find(&tenant(acme), invoice["$id"].as_str().unwrap().parse().unwrap())).unwrap().unwrap();
    let lines = invoice.lines.iter().map(|line| Line { discount_minor: 0, taxes_minor: Vec::new(), ..line.clone() }).collect();
    let composed = compose(lines, terms, invoice.currency, invoice.created_at).unwrap();
    let text = |value: Value| format!("'{}'", value.to_string().replace('\'', "''"));
    let totals = composed.totals;
    meddle(
        acme.world,
        &format!(
            "UPDATE invoices SET lines = {}, discounts = {}, taxes = {}, credits = {}, discount_minor = {}, tax_minor = {}, total_minor = {}, credit_minor = {} WHERE id = '{}'",
            text(json!(composed.lines)),
            text(json!(composed.discounts)),
            text(json!(composed.taxes)),
            text(json!(composed.credits)),
            totals.discount.minor(),
            totals.tax.minor(),
            totals.total.minor(),
            totals.credit.minor(),
            invoice.id
        ),
    );
}

fn terms(currency: rating::Currency) -> Terms {
    let discount = |name: &str, off: Off, items: Option<&[&str]>| GrantedDiscount {
        id: DiscountId::derived(&[name]),
        name: name.to_owned(),
        discount: Discount { off, duration: DiscountDuration::Forever, valid_from: None, valid_through: None },
        items: items.map(|items| items.iter().map(|item| (*item).to_owned()).collect()),
    };
    let tax = |name: &str, rate: &str, inclusive: bool| NamedTax {
        name: name.to_owned(),
        rate: TaxRate { rate: rate.parse().unwrap(), inclusive },
    };
    let credit = |name: &str, minor: i64| Credit {
        id: CreditId::derived(&[name]),
        grant: rating::Grant { left: Money::new(minor, currency), priority: None, effective_at: None, expires_at: None, voided_at: None },
        version: 1,
    };
    Terms {
        discounts: vec![
            discount("Welcome", Off::Fixed(Money::new(1_234, currency)), None),
            discount("Partner", Off::Percentage("12.5".parse().unwrap()), Some(&["scale", "apiCalls"])),
        ],
        taxes: vec![tax("VAT", "19", false), tax("Levy", "2.5", true)],
        credits: vec![credit("one", 700), credit("two", 100)],
    }
}

/// Each kind of invoice, with what it is called.
fn proofs() -> Vec<(&'static str, Value)> {
    let mut proofs = Vec::new();
    let world = World::new();
    publish(&world, &plan(1, |_| ()));
    let acme = company(&world, 3, r#"{"calls":2}"#);
    acme.advance("2026-01-31T09:00:00Z");
    use_calls(&acme, 2_345);
    acme.advance("2026-02-28T09:00:00Z");
    acme.world
        .post(&acme.vendor(), "/v1/usage", &json!({"metric": "apiCalls", "amount": 77, "timestamp": "2026-02-20T00:00:00Z"}))
        .expect(200);
    use_calls(&acme, 2_100);
    acme.advance("2026-03-31T09:00:00Z");
    let invoices = acme.invoices();
    proofs.push(("the first one, after a trial", proof(&acme, &invoices[0])));
    proofs.push(("seats, an add-on and tiers", proof(&acme, &invoices[1])));
    proofs.push(("late usage", proof(&acme, &invoices[2])));
    with_terms(&acme, &invoices[1], &terms(rating::Currency::USD));
    proofs.push(("discounts, taxes and credits", proof(&acme, &invoices[1])));
    proofs.push(("a change", changed(&acme)));
    proofs.push(("a minimum", with_minimum()));
    proofs.push(("yen, in arrears", in_arrears()));
    proofs
}

fn with_minimum() -> Value {
    let world = World::new();
    publish(&world, &plan(1, |plan| plan["minimumCommitment"] = json!({"USD": "99.95"})));
    let acme = company(&world, 1, "{}");
    meddle(&world, "UPDATE subscriptions SET billing_period = 'year'; UPDATE subscription_phases SET billing_period = 'year'");
    acme.advance("2026-01-31T09:00:00Z");
    use_calls(&acme, 1_600);
    acme.advance("2026-02-28T09:00:00Z");
    let invoice = &acme.invoices()[1];
    let lines = invoice["referencesOrder"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["kind"] == "minimumCommitment"), "{invoice:#}");
    proof(&acme, invoice)
}

fn in_arrears() -> Value {
    let world = World::new();
    publish(&world, &plan(1, |plan| plan["baseTiming"] = json!("in_arrears")));
    let acme = company(&world, 2, r#"{"calls":1}"#);
    meddle(&world, "UPDATE subscriptions SET currency = 'JPY'");
    acme.advance("2026-01-31T09:00:00Z");
    use_calls(&acme, 1_999);
    acme.advance("2026-02-28T09:00:00Z");
    let invoices = acme.invoices();
    let invoice = invoices.last().unwrap();
    assert_eq!(
        invoice["total"],
        json!({"$type": "PriceSpecification", "price": "12566", "priceCurrency": "JPY", "amountMinor": 12_566}),
        "{invoice:#}"
    );
    proof(&acme, invoice)
}

/// Another version with more seats in the middle of a period: usage so far, what comes back, what is due for the rest.
fn changed(acme: &Company<'_>) -> Value {
    let world = acme.world;
    publish(world, &plan(2, |plan| plan["prices"][0]["price"]["unitAmount"] = json!("44.44")));
    use_calls(acme, 2_100);
    acme.advance("2026-04-11T15:30:00Z");
    let change = json!({"planVersion": 2, "quantity": 5, "effective": "now", "prorationPolicy": "day"});
    let changed = world.post(&acme.vendor(), "/v1/subscription/changes", &change).expect(201);
    let invoice = acme.get(&format!("/v1/invoices/{}", changed["invoice"].as_str().unwrap()));
    let currency: rating::Currency = invoice["total"]["priceCurrency"].as_str().unwrap().parse().unwrap();
    with_terms(acme, &invoice, &Terms { credits: Vec::new(), ..terms(currency) });
    proof(acme, &invoice)
}

#[test]
fn every_kind_of_invoice_is_computed_again() {
    for (what, proof) in proofs() {
        let text = assert_verified(&proof);
        assert!(text.ends_with("VERIFIED\n"), "{what}: {text}");
        println!("{what}\n{text}");
    }
}

#[test]
fn the_closing_stands_in_the_chain_of_the_usage_proof() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    acme.advance("2026-01-31T09:00:00Z");
    use_calls(&acme, 100_500);
    acme.advance("2026-02-28T09:00:00Z");
    let (proof, usage) = (proof(&acme, &acme.invoices()[1]), usage_proof(&acme));
    let with = |proof: &Value, usage: &str| verify::verify_invoice(&proof.to_string(), Some(&mut usage.as_bytes())).unwrap();
    let found = with(&proof, &usage);
    assert!(found.verdict.is_ok() && found.is_chained, "{found}");
    assert!(!found.to_string().contains("follow from events"), "{found}");
    let other = world.sign_up("Bolt");
    assert!(with(&proof, &usage_proof(&other)).verdict.unwrap_err()[0].contains("another organization's"));
    assert!(with(&proof, &usage.replace("[0,100500,", "[0,100501,")).verdict.unwrap_err()[0].contains("the usage proof is broken"));
    assert!(with(&proof, "").verdict.is_err());
    // A closing of another history: its hash fits its body, and is not the chain's.
    let mut forged = proof.clone();
    let body = forged["closings"][0]["body"].as_str().unwrap().replace("\"projects\":0", "\"projects\":1");
    let previous = forged["closings"][0]["previous"].as_str().unwrap().to_owned();
    forged["closings"][0]["hash"] = json!(hash(&previous, &body));
    forged["closings"][0]["body"] = json!(body);
    let projects = forged["invoice"]["usage"].as_array_mut().unwrap().iter_mut().find(|usage| usage["metric"] == "projects").unwrap();
    projects["counted"] = json!(1);
    assert_verified(&forged);
    assert!(with(&forged, &usage).verdict.unwrap_err()[0].contains("another history"));
}

fn hash(previous: &str, body: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(format!("{previous}\n{body}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_closing_is_kept_when_the_log_is_pruned() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    acme.advance("2026-01-31T09:00:00Z");
    use_calls(&acme, 100_500);
    acme.advance("2026-02-28T09:00:00Z");
    let number = proof(&acme, &acme.invoices()[1])["closings"][0]["number"].clone();
    let stands = |number: &Value| usage_proof(&acme).contains(&format!("{{\"body\":\"{{\\\"number\\\":{number},"));
    assert!(stands(&number), "{}", usage_proof(&acme));
    acme.advance("2026-08-31T09:00:00Z");
    world.pass(tenantry::kernel::time::days(2));
    for call in [Call::RollUp, Call::Prune, Call::Prune] {
        block_on(world.app.meters.call(acme.id.parse().unwrap(), serde_json::to_string(&call).unwrap())).unwrap();
    }
    assert!(!stands(&number), "the log was pruned");
    let proof = proof(&acme, &acme.invoices()[1]);
    assert_eq!(proof["closings"][0]["number"], number);
    assert_verified(&proof);
}

/// What may be changed without being found, and why. `*` is any position or name.
const FREE: &[(&str, &str)] = &[
    ("organization", "compared with the usage proof"),
    ("invoice/$id", "a name"),
    ("invoice/$type", "a name"),
    ("invoice/identifier", "a name"),
    ("invoice/dateIssued", "not what it costs"),
    ("invoice/paymentDueDate", "not what it costs"),
    ("invoice/paidAt", "not what it costs"),
    ("invoice/paymentStatus", "what was paid is not proven"),
    ("invoice/*/$type", "a name"),
    ("invoice/*/*/$type", "a name"),
    ("invoice/*/*/*/$type", "a name"),
    ("invoice/*/*/*/*/$type", "a name"),
    ("invoice/referencesOrder/*/description", "words"),
    ("invoice/taxes/*/name", "words"),
    ("discounts/*/id", "a name"),
    ("credits/*/id", "a name"),
    ("subscription/startedAt", "places nothing once there is an anchor"),
    ("subscription/trialEndsAt", "an anchor among others; each period is checked to be one"),
    ("subscription/anchoredAt", "an anchor among others; each period is checked to be one"),
    ("subscription/phases/*/startsAt", "a phase that holds for all of a period may begin earlier"),
    ("plans/*/name", "words"),
    ("plans/*/metrics/*/kind", "how it is counted is the usage proof's"),
    ("plans/*/metrics/*/aggregation", "how it is counted is the usage proof's"),
    ("plans/*/metrics/*/unit", "words"),
    ("plans/*/metrics/*/limit", "what is admitted, not what it costs"),
    ("plans/*/metrics/*/enforcement", "what is admitted, not what it costs"),
    ("plans/*/addOns/*/name", "words"),
    ("plans/*/features/*/*", "not what it costs"),
    ("plans/*/rateLimits/*/*", "not what it costs"),
    ("credits/*/version", "guards that nobody draws twice, not what it pays"),
    ("plans/*/trial/*", "not what it costs"),
    ("plans/*/prorationPolicy", "a line says by which policy it is shared"),
    ("plans/*/publishedAt", "not what it costs"),
    ("plans/*/progressiveBilling/*", "when usage is billed, not what it costs"),
    ("closings/*/usageProof", "where to ask"),
];

fn is_free(path: &[String], proof: &Value) -> bool {
    let matches = |pattern: &str| {
        let parts: Vec<&str> = pattern.split('/').collect();
        parts.len() == path.len() && parts.iter().zip(path).all(|(part, name)| *part == "*" || part == name)
    };
    FREE.iter().any(|(pattern, _)| matches(pattern)) || charges_nothing(path, proof) || is_on_the_way(path, proof)
}

/// When usage was counted that is billed before its period ends, and in which period that falls: no closing says so yet.
fn is_on_the_way(path: &[String], proof: &Value) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let is_update = proof["invoice"]["billingReason"] == "subscription_update";
    let is_usage = |line: &str| proof["invoice"]["referencesOrder"][line.parse::<usize>().unwrap()]["kind"] == "overage";
    match names.as_slice() {
        ["invoice", "referencesOrder", line, "billingPeriod", "endDate"] => is_update && is_usage(line),
        ["invoice", "billingPeriod", "endDate"] => is_update,
        _ => false,
    }
}

/// Prices and shapes that no line of this invoice goes by.
fn charges_nothing(path: &[String], proof: &Value) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let lines = proof["invoice"]["referencesOrder"].as_array().unwrap();
    let bases = proof["lines"].as_array().unwrap();
    let currency = proof["invoice"]["total"]["priceCurrency"].as_str().unwrap();
    let of_plan = |plan: &Value| {
        lines
            .iter()
            .zip(bases)
            .filter(|(_, basis)| basis["plan"] == plan["key"] && basis["planVersion"] == plan["version"])
            .collect::<Vec<_>>()
    };
    match names.as_slice() {
        ["plans", plan, "prices", price, ..] => {
            let plan = &proof["plans"][plan.parse::<usize>().unwrap()];
            let price = &plan["prices"][price.parse::<usize>().unwrap()];
            let interval = &bases.first().map_or(Value::Null, |basis| basis["shape"]["interval"].clone());
            let is_used = of_plan(plan).iter().any(|(line, _)| line["orderItem"] == plan["key"]);
            price["currency"] != currency || price["interval"] != *interval || !is_used
        }
        ["plans", plan, "metrics", metric, rest @ ..] => {
            let plan = &proof["plans"][plan.parse::<usize>().unwrap()];
            let metric = &plan["metrics"][metric.parse::<usize>().unwrap()]["metric"];
            let used = of_plan(plan);
            !used.iter().any(|(line, _)| line["orderItem"] == *metric) || (rest[0] == "prices" && rest[1] != currency)
        }
        ["plans", plan, "addOns", add_on, rest @ ..] => {
            let plan = &proof["plans"][plan.parse::<usize>().unwrap()];
            let add_on = &plan["addOns"][add_on.parse::<usize>().unwrap()];
            let item = format!("{}/{}", plan["key"].as_str().unwrap(), add_on["key"].as_str().unwrap());
            let is_charged = of_plan(plan).iter().any(|(line, _)| line["orderItem"] == json!(item));
            let raises = of_plan(plan).iter().any(|(line, basis)| {
                line["orderItem"] == "apiCalls" && !basis["shape"]["addOns"][add_on["key"].as_str().unwrap()].is_null()
            });
            match rest[0] {
                "prices" => !is_charged || add_on["prices"][rest[1].parse::<usize>().unwrap()]["currency"] != currency,
                "limits" => !raises,
                _ => !is_charged && !raises,
            }
        }
        ["plans", plan, "minimumCommitment", ..] => {
            !of_plan(&proof["plans"][plan.parse::<usize>().unwrap()]).iter().any(|(line, _)| line["kind"] == "minimumCommitment")
        }
        ["plans", plan, "key" | "version" | "baseTiming"] => of_plan(&proof["plans"][plan.parse::<usize>().unwrap()]).is_empty(),
        _ => false,
    }
}

fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut inner = |name: String, value: &Value| {
        path.push(name);
        leaves(value, path, found);
        path.pop();
    };
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| inner(index.to_string(), item)),
        Value::Object(members) => members.iter().for_each(|(name, member)| inner(name.clone(), member)),
        _ => found.push(path.clone()),
    }
}

/// Other values of a leaf: near ones and far ones.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(is) => vec![json!(!is)],
        Value::Number(number) => [1, -1, 1_000].iter().map(|more| json!(number.as_i64().unwrap() + more)).collect(),
        Value::String(text) if Timestamp::parse(text).is_ok() => {
            let at = Timestamp::parse(text).unwrap();
            let second = std::time::Duration::from_secs(1);
            vec![json!(at.plus(second)), json!(at.minus(second)), json!(at.plus(second * 86_400))]
        }
        Value::String(text) => {
            // Each digit is another one, one after the other; or it is another word.
            let digits: Vec<usize> = text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()).map(|(at, _)| at).collect();
            let changed = |at: usize| {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = if bytes[at] == b'9' { b'8' } else { bytes[at] + 1 };
                json!(String::from_utf8(bytes).unwrap())
            };
            if digits.is_empty() { vec![json!(format!("{text}x"))] } else { digits.into_iter().take(80).map(changed).collect() }
        }
        _ => Vec::new(),
    }
}

fn replaced(proof: &Value, path: &[String], other: Value) -> Value {
    let mut changed = proof.clone();
    *changed
        .pointer_mut(&format!("/{}", path.iter().map(|name| name.replace('~', "~0").replace('/', "~1")).collect::<Vec<_>>().join("/")))
        .unwrap() = other;
    changed
}

#[test]
fn whatever_is_changed_is_found() {
    let mut tried = 0;
    let mut unfound: BTreeMap<String, String> = BTreeMap::new();
    for (what, proof) in proofs() {
        let mut found = Vec::new();
        leaves(&proof, &mut Vec::new(), &mut found);
        for path in found.iter().filter(|path| !is_free(path, &proof)) {
            let value = proof.pointer(&format!("/{}", path.join("/"))).unwrap();
            // A minor unit more that was charged moves a share of it by less than one.
            let is_shared = path.ends_with(&["limitMinor".to_owned()]) || path.ends_with(&["chargedMinor".to_owned()]);
            for other in others(value).into_iter().skip(if is_shared { 2 } else { 0 }) {
                tried += 1;
                let changed = replaced(&proof, path, other.clone());
                let verified = verify::verify_invoice(&changed.to_string(), None).unwrap();
                // Where two shapes met in an instant, the verifier says that it can't tell.
                if verified.verdict.is_ok() && !verified.to_string().contains("the line's own word") {
                    unfound.insert(format!("{what}: {}", path.join("/")), format!("{value} as {other}"));
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
    assert!(unfound.is_empty(), "{unfound:#?}");
}

#[test]
fn a_line_that_is_added_moved_or_taken_away_is_found() {
    for (what, proof) in proofs() {
        let count = proof["lines"].as_array().unwrap().len();
        for position in 0..count {
            let mut without = proof.clone();
            without["lines"].as_array_mut().unwrap().remove(position);
            without["invoice"]["referencesOrder"].as_array_mut().unwrap().remove(position);
            assert!(verify::verify_invoice(&without.to_string(), None).unwrap().verdict.is_err(), "{what}: without {position}");
            let mut twice = proof.clone();
            let basis = twice["lines"][position].clone();
            let line = twice["invoice"]["referencesOrder"][position].clone();
            twice["lines"].as_array_mut().unwrap().push(basis);
            twice["invoice"]["referencesOrder"].as_array_mut().unwrap().push(line);
            assert!(verify::verify_invoice(&twice.to_string(), None).unwrap().verdict.is_err(), "{what}: {position} twice");
        }
        for member in ["closings", "plans"] {
            let mut without = proof.clone();
            without[member] = json!([]);
            let is_needed = !proof[member].as_array().unwrap().is_empty();
            assert_eq!(verify::verify_invoice(&without.to_string(), None).unwrap().verdict.is_err(), is_needed, "{what}: no {member}");
        }
    }
}
