//! Whatever history a Meter has, its proof holds; whatever is done to the proof, it doesn't any more.

use super::support::{self, DAY, Event, METRICS, Meter, START, Step, verified};
use proptest::collection::vec;
use proptest::prelude::*;

fn event() -> impl Strategy<Value = Event> {
    let nanos = prop_oneof![(1_i128..20).prop_map(|units| units * 1_000_000_000), 1_i128..5_000_000_000, Just(1_i128)];
    (0..METRICS.len(), nanos, any::<bool>(), proptest::option::of(0..200 * DAY), any::<bool>()).prop_map(
        |(metric, nanos, is_down, since, is_keyed)| {
            let is_level = METRICS[metric].kind == "level";
            let nanos = match METRICS[metric].aggregation {
                "count" if is_level && is_down => 1_000_000_000,
                "count" => 1_000_000_000,
                "unique" => i128::from(is_down) * 1_000_000_000,
                _ if is_level && is_down => -nanos,
                _ => nanos,
            };
            // The key is made one of its own when the history is played.
            Event { metric, nanos, timestamp: since.map(|since| START + since), key: is_keyed.then(String::new) }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![5 => vec(event(), 0..6).prop_map(Step::Group), 1 => Just(Step::Close)]
}

fn played(steps: &[Step], forgotten: usize) -> Meter {
    let mut meter = Meter::new();
    let mut keys = 0;
    for (index, step) in steps.iter().enumerate() {
        if index == forgotten {
            meter.forget();
        }
        let mut step = step.clone();
        if let Step::Group(events) = &mut step {
            for key in events.iter_mut().filter_map(|event| event.key.as_mut()) {
                keys += 1;
                *key = format!("key \"{keys}\" ☃");
            }
        }
        meter.step(&step);
    }
    meter
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_whole_history_is_verified(steps in vec(step(), 0..24)) {
        let meter = played(&steps, usize::MAX);
        let verification = verified(&meter.proof());
        prop_assert_eq!(verification.verdict.clone(), Ok(()), "{:#?}", meter.proof());
        prop_assert!(verification.reaches_head && verification.is_complete);
    }

    #[test]
    fn the_rest_of_a_history_is_verified(steps in vec(step(), 2..24), forgotten in 1..24_usize) {
        let meter = played(&steps, forgotten % (steps.len() - 1) + 1);
        let verification = verified(&meter.proof());
        prop_assert_eq!(verification.verdict.clone(), Ok(()), "{:#?}", meter.proof());
        prop_assert!(verification.reaches_head && !verification.is_complete);
    }

    #[test]
    fn a_changed_byte_of_a_body_is_found(steps in vec(step(), 1..12), at in any::<prop::sample::Index>(), by in 1..128_u8) {
        let meter = played(&steps, usize::MAX);
        let line = at.index(meter.bodies.len());
        let mut bytes = meter.bodies[line].clone().into_bytes();
        let byte = at.index(bytes.len());
        bytes[byte] ^= by;
        if let Ok(body) = String::from_utf8(bytes) {
            let mut proof = meter.proof();
            let told: serde_json::Value = serde_json::from_str(&proof[line + 1]).unwrap();
            let (number, hash) = (told["number"].as_u64().unwrap(), told["hash"].as_str().unwrap());
            proof[line + 1] = support::commit_line(number, hash, &body);
            let broken = verified(&proof).verdict.unwrap_err();
            prop_assert_eq!(broken.line, line as u64 + 2);
        }
    }

    #[test]
    fn a_changed_byte_of_the_file_changes_nothing_or_is_found(steps in vec(step(), 1..8), at in any::<prop::sample::Index>(), to in 32..127_u8) {
        let meter = played(&steps, usize::MAX);
        let mut proof = meter.proof();
        // The range of the header is not what is proven.
        let lines = proof.len() - 1;
        let line = at.index(lines) + 1;
        let mut bytes = proof[line].clone().into_bytes();
        let byte = at.index(bytes.len());
        let is_ascii = bytes[byte].is_ascii();
        bytes[byte] = to;
        if let (true, Ok(text)) = (is_ascii, String::from_utf8(bytes)) {
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            let is_same = read(&text) == read(&proof[line]);
            // Names and rules of counters are for people; the rest of a counter is compared.
            let is_label = read(&text).zip(read(&proof[line])).is_some_and(|(one, other)| without_labels(one) == without_labels(other));
            proof[line] = text;
            prop_assert!(verified(&proof).verdict.is_err() || is_same || is_label, "{}", proof[line]);
        }
    }

    #[test]
    fn a_missing_line_is_found(steps in vec(step(), 1..12), at in any::<prop::sample::Index>()) {
        let meter = played(&steps, usize::MAX);
        let mut proof = meter.proof();
        let line = at.index(proof.len());
        proof.remove(line);
        let verification = verified(&proof);
        // Without its last commits a file is one that ends earlier, and says so.
        let is_last_commit = line == proof.len() - 1;
        prop_assert!(verification.verdict.is_err() || is_last_commit && !verification.reaches_head);
        prop_assert!(!is_last_commit || verification.to_string().contains("the counters were not compared"));
    }

    #[test]
    fn swapped_lines_are_found(steps in vec(step(), 1..12), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let meter = played(&steps, usize::MAX);
        let mut proof = meter.proof();
        let (one, other) = (one.index(proof.len()), other.index(proof.len()));
        proof.swap(one, other);
        prop_assert_eq!(verified(&proof).verdict.is_err(), one != other);
    }

    #[test]
    fn a_doubled_line_is_found(steps in vec(step(), 0..12), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let meter = played(&steps, usize::MAX);
        let mut proof = meter.proof();
        let line = proof[one.index(proof.len())].clone();
        proof.insert(other.index(proof.len() + 1), line);
        prop_assert!(verified(&proof).verdict.is_err());
    }

    #[test]
    fn a_miscounted_event_is_found_though_every_hash_is_right(steps in vec(step(), 1..12), at in any::<prop::sample::Index>()) {
        let meter = played(&steps, usize::MAX);
        let lies = lies(&meter, at);
        if let Some(proof) = lies {
            prop_assert!(verified(&proof).verdict.is_err(), "{proof:#?}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "(\\PC|\n){0,200}", lines in vec("[{}\\[\\]\",:0-9a-z$]{0,60}", 0..6)) {
        prop_assert!(verify::verify(text.as_bytes()).unwrap().verdict.is_err());
        prop_assert!(verified(&lines).verdict.is_err());
    }
}

fn without_labels(mut line: serde_json::Value) -> serde_json::Value {
    for counter in line["counters"].as_array_mut().into_iter().flatten() {
        let counter = counter.as_object_mut();
        let Some(counter) = counter else { continue };
        let is_consumable = ["calls", "tokens", "burst", "version", "visitors"]
            .contains(&counter.get("metric").and_then(serde_json::Value::as_str).unwrap_or_default());
        // A row of zeros says nothing that its absence doesn't.
        if counter.get("used") == Some(&0.into()) && (is_consumable || counter.get("level") == Some(&0.into())) {
            counter.clear();
            continue;
        }
        counter.retain(|name, _| ["metric", "start", "used", "level"].contains(&name.as_str()));
        if is_consumable {
            counter.remove("level");
        }
    }
    line
}

/// The proof with the count after one event raised by a billionth, and all hashes made anew.
fn lies(meter: &Meter, at: prop::sample::Index) -> Option<Vec<String>> {
    let mut bodies: Vec<serde_json::Value> = meter.bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let counts: Vec<(usize, usize)> = (0..bodies.len())
        .flat_map(|body| (0..bodies[body]["events"].as_array().map_or(0, Vec::len)).map(move |event| (body, event)))
        .collect();
    if counts.is_empty() {
        return None;
    }
    let (body, event) = *at.get(&counts);
    let count = &mut bodies[body]["events"][event][2];
    let nanos = serde_json::from_value::<rating::Quantity>(count.clone()).unwrap().nanos() + 1;
    *count = serde_json::from_str(&support::json(nanos)).unwrap();
    let mut hash = support::sha256(&format!("tenantry-usage-chain-v1\n{}", support::ORGANIZATION));
    let mut proof = vec![support::header_line(&hash, true)];
    for (index, body) in bodies.iter().enumerate() {
        let body = body.to_string();
        hash = support::sha256(&format!("{hash}\n{body}"));
        proof.push(support::commit_line(index as u64 + 1, &hash, &body));
    }
    proof.push(support::end_line(bodies.len() as u64, &hash, &meter.counters()));
    Some(proof)
}
