//! A Meter that lies can make every hash right. What it says is still held against the rules.

use super::support::{DAY, START, commit_line, end_line, header_line, sha256, verified};

/// A proof of commits with these members after `number` and `at`, a day apart, ended by these counters.
fn proof(members: &[String], counters: &str) -> Vec<String> {
    let now = |index: usize| START + DAY * i64::try_from(index).unwrap();
    let mut hash = sha256(&format!("tenantry-usage-chain-v1\n{}", super::support::ORGANIZATION));
    let mut lines = vec![header_line(&hash, true)];
    for (index, members) in members.iter().enumerate() {
        let body = format!("{{\"number\":{},\"at\":{},{members}}}", index + 1, now(index));
        hash = sha256(&format!("{hash}\n{body}"));
        lines.push(commit_line(index as u64 + 1, &hash, &body));
    }
    lines.push(end_line(members.len() as u64, &hash, counters));
    lines
}

/// The same without its first commit, as if it had been recorded before what was asked for.
fn tail(members: &[String], counters: &str) -> Vec<String> {
    let mut lines = proof(members, counters);
    let first: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    lines[0] = header_line(first["hash"].as_str().unwrap(), false);
    lines.remove(1);
    lines
}

/// A commit of events of one metric in January.
fn events(first: u64, standing: &str, events: &str) -> String {
    let end = START + 30 * DAY;
    let [metric, aggregation, kind, limit, mode] = standing.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (mode, enforcement) = mode.split_once('/').map_or((mode, String::new()), |(mode, soft)| (mode, format!(",\"{soft}\"")));
    format!(
        "\"first\":{first},\"standings\":[[\"{metric}\",\"{aggregation}\",\"{kind}\",{START},{end},{limit},\"{mode}\"{enforcement}]],\"events\":[{events}]"
    )
}

fn closing(period: i64, used: &str, late: &str) -> String {
    let (start, end) = (START + 30 * DAY * period, START + 30 * DAY * (period + 1));
    format!("\"closing\":{{\"start\":{start},\"end\":{end},\"used\":{{{used}}},\"late\":[{late}]}}")
}

fn late(before: &str, after: &str) -> String {
    let end = START + 30 * DAY;
    format!("{{\"metric\":\"calls\",\"periodStartsAt\":{START},\"periodEndsAt\":{end},\"before\":{before},\"after\":{after}}}")
}

fn counter(used: &str, level: &str) -> String {
    format!("{{\"metric\":\"calls\",\"aggregation\":\"sum\",\"kind\":\"level\",\"start\":{START},\"used\":{used},\"level\":{level}}}")
}

#[track_caller]
fn is_broken(proof: &[String], line: u64, what: &str) {
    let broken = verified(proof).verdict.expect_err("it holds");
    assert!(broken.line == line && broken.what.contains(what), "{broken}");
}

#[track_caller]
fn holds(proof: &[String]) -> String {
    let verification = verified(proof);
    assert_eq!(verification.verdict, Ok(()), "{proof:#?}");
    verification.to_string()
}

const USAGE: &str = "calls sum consumable 10 usage";
const CONSUMPTION: &str = "calls sum consumable 10 consumption";
const LEVEL: &str = "calls sum level 10 usage";

#[test]
fn a_hard_limit_was_never_passed_by_consumption() {
    let commit = |standing: &str, told: &str| proof(&[events(1, standing, told)], &counter("11", "0"));
    holds(&commit(USAGE, "[0,11,11]"));
    holds(&commit("calls sum consumable 10 consumption/soft", "[0,11,11]"));
    holds(&commit("calls sum consumable null consumption", "[0,11,11]"));
    holds(&commit("calls max consumable 10 consumption", "[0,11,11]"));
    holds(&commit("calls sum consumable 10 settlement", "[0,11,11]"));
    is_broken(&commit(CONSUMPTION, "[0,11,11]"), 2, "event 1 of calls: it was admitted to 11, past the limit of 10");
    is_broken(&commit("calls sum consumable 10 consumption/hard", "[0,11,11]"), 2, "past the limit");
    is_broken(&commit(CONSUMPTION, "[0,8,8,null,null,3]"), 2, "admitted to 8 with 3 reserved, past the limit of 10");
    holds(&proof(&[events(1, CONSUMPTION, "[0,8,8,null,null,2]")], &counter("8", "0")));
    // Giving something back is admitted above the limit, too.
    let level = [events(1, LEVEL, "[0,13,13]"), events(2, "calls sum level 10 consumption", "[0,-2,11]")];
    holds(&proof(&level, &counter("13", "11")));
}

#[test]
fn a_key_counts_once() {
    is_broken(
        &proof(&[events(1, USAGE, "[0,1,1,\"k\"],[0,1,2,\"k\"]")], ""),
        2,
        "event 2 of calls: its idempotency key \"k\" was counted before",
    );
    is_broken(&proof(&[events(1, USAGE, "[0,1,1,\"k\"]"), events(2, USAGE, "[0,1,2,\"\\u006b\"]")], ""), 3, "was counted before");
}

#[test]
fn events_are_numbered_without_a_gap() {
    is_broken(&proof(&[events(1, USAGE, "[0,1,1]"), events(3, USAGE, "[0,1,2]")], ""), 3, "it begins with event 3, and event 2 is due");
    is_broken(&proof(&[events(1, USAGE, "[1,1,1]")], ""), 2, "it has no standing");
    is_broken(&proof(&["\"standings\":[],\"events\":[]".to_owned()], ""), 2, "holds neither events nor a closing");
    is_broken(&proof(&["\"number\":1".to_owned()], ""), 2, "duplicate field");
    is_broken(&proof(&[events(1, USAGE, "[0,1.5,1.5]")], ""), 2, "send decimals as a string");
    is_broken(&proof(&[events(1, USAGE, "[0,1,1,null,null,null,null,7]")], ""), 2, "the body of a commit");
    is_broken(&proof(&[events(1, USAGE, "[0,1,1,null,null,null,[]]")], ""), 2, "the body of a commit");
}

#[test]
fn amounts_are_those_of_their_aggregation() {
    is_broken(&proof(&[events(1, "calls count consumable 10 usage", "[0,2,2]")], ""), 2, "no amount of a count");
    is_broken(&proof(&[events(1, "calls unique consumable 10 usage", "[0,2,2]")], ""), 2, "no amount of a unique");
    holds(&proof(&[events(1, "calls count consumable 10 settlement", "[0,2,2]")], &counter("2", "0")));
}

#[test]
fn closings_bill_what_was_counted() {
    let counted = events(1, LEVEL, "[0,5,5],[0,-2,3]");
    let closed = |used: &str| proof(&[counted.clone(), closing(0, used, "")], &counter("5", "3"));
    holds(&closed("\"calls\":5"));
    is_broken(&closed("\"calls\":3"), 3, "what calls is billed by is told as 3, and the rules give 5");
    is_broken(&closed(""), 3, "calls is left out of the closing");
    is_broken(&closed("\"calls\":5,\"others\":1"), 3, "others is billed by 1, and the file has no event of it");
    let again = proof(&[counted.clone(), closing(0, "\"calls\":5", ""), closing(0, "\"calls\":5", "")], "");
    is_broken(&again, 4, "is closed a second time");
    // A level is billed in the next period, too, though nothing happened in it.
    let next = |used: &str| proof(&[counted.clone(), closing(0, "\"calls\":5", ""), closing(1, used, "")], &counter("5", "3"));
    is_broken(&next("\"calls\":5"), 4, "billed by is told as 5, and the rules give 3");
    holds(&next("\"calls\":3"));
}

#[test]
fn late_usage_is_the_difference() {
    let with = |late: &str, counters: &str| {
        let commits =
            [events(1, USAGE, "[0,5,5]"), closing(0, "\"calls\":5", ""), events(2, USAGE, "[0,2,7]"), closing(1, "\"calls\":0", late)];
        proof(&commits, counters)
    };
    holds(&with(&late("5", "7"), &counter("7", "0")));
    is_broken(&with("", ""), 5, "late usage of calls from 2026-01-01T00:00:00Z is told as 5, and the rules give 7");
    is_broken(&with(&late("4", "7"), ""), 5, "begins at 4, and what was billed before is 5");
    is_broken(&with(&late("5", "8"), ""), 5, "is told as 8, and the rules give 7");
    is_broken(&with(&late("7", "7"), ""), 5, "is no difference");
    is_broken(&with(&format!("{},{}", late("5", "7"), late("5", "7")), ""), 5, "comes twice");
    is_broken(&with(&format!("{},{}", late("5", "7"), late("5", "7").replace("calls", "others")), ""), 5, "has no closing before it");
    let written = "\"2026-01-01T00:00:00Z\"";
    holds(&with(&late("5", "7").replace(&START.to_string(), written), &counter("7", "0")));
    is_broken(&with(&late("5", "7").replace("periodEndsAt\":1", "periodEndsAt\":2"), ""), 5, "has another end");
}

#[test]
fn counters_are_those_of_the_events() {
    let counted = [events(1, LEVEL, "[0,5,5],[0,-2,3]")];
    holds(&proof(&counted, &counter("5", "3")));
    is_broken(&proof(&counted, &counter("6", "3")), 3, "used is told as 6, and the rules give 5");
    is_broken(&proof(&counted, &counter("5", "4")), 3, "level is told as 4, and the rules give 3");
    is_broken(&proof(&counted, ""), 3, "the counter calls from 2026-01-01T00:00:00Z is missing");
    let other = counter("1", "1").replace("calls", "others");
    is_broken(&proof(&counted, &format!("{},{other}", counter("5", "3"))), 3, "the counter others from");
    holds(&proof(&counted, &format!("{},{}", counter("5", "3"), other.replace(":1", ":0").replace(":0767", ":1767"))));
    is_broken(&proof(&[], &counter("1", "1")), 2, "is not zero");
    holds(&proof(&[], ""));
}

#[test]
fn what_was_before_the_file_is_believed_and_said() {
    let commits = [events(1, USAGE, "[0,5,5]"), events(2, USAGE, "[0,2,7],[0,1,8]")];
    let text = holds(&tail(&commits, &counter("8", "0")));
    assert!(
        text.contains("does not begin with the organization's first event") && text.contains("opening count taken from its first event")
    );
    is_broken(&tail(&commits, &counter("9", "0")), 3, "used is told as 9, and the rules give 8");
    let wrong = [events(1, USAGE, "[0,5,5]"), events(2, USAGE, "[0,2,7],[0,1,9]")];
    is_broken(&tail(&wrong, ""), 2, "event 3 of calls: the count after it is told as 9, and the rules give 8");
    // Late usage of a closing before the file, and a peak that nothing in it shows.
    let commits = [closing(0, "", ""), events(7, LEVEL, "[0,-1,4]"), closing(1, "\"calls\":4", &late("9", "10"))];
    holds(&tail(&commits, &counter("10", "4")));
    is_broken(&tail(&commits, &counter("9", "4")), 4, "used is told as 9, and the rules give 10");
    let commits = [closing(0, "", ""), events(7, LEVEL, "[0,-1,4]"), closing(1, "\"calls\":4", &late("3", "4"))];
    is_broken(&tail(&commits, ""), 3, "is told as 4, and the rules give at least 5");
    // Events of before there was a log.
    let text = holds(&proof(&[events(7, USAGE, "[0,1,100]")], &counter("100", "0")));
    assert!(text.contains("opening count"));
}

#[test]
fn a_metric_that_changes_is_said_to() {
    let commits = [events(1, USAGE, "[0,5,5]"), events(2, LEVEL, "[0,2,2]")];
    let text = holds(&proof(&commits, &counter("5", "2")));
    assert!(text.contains("calls was a sum consumable and became a sum level"), "{text}");
}

#[test]
fn the_first_line_and_the_last_are_of_this_chain() {
    let commits = [events(1, USAGE, "[0,5,5]"), events(2, USAGE, "[0,2,7]")];
    let whole = proof(&commits, &counter("7", "0"));
    let with = |line: usize, from: &str, to: &str| {
        let mut lines = whole.clone();
        assert!(lines[line].contains(from), "{}", lines[line]);
        lines[line] = lines[line].replacen(from, to, 1);
        lines
    };
    holds(&whole);
    is_broken(&with(0, "\"version\":1", "\"version\":2"), 1, "version 1");
    is_broken(&with(0, "org_01", "org_02"), 1, "not the hash that this organization's commits begin with");
    is_broken(&with(0, "true", "false"), 2, "the first line says that it isn't");
    is_broken(&with(0, "\"from\":\"2026", "\"from\":\"x"), 1, "from and to");
    is_broken(&with(3, "\"number\":2", "\"number\":1"), 4, "not that of this chain");
    is_broken(&with(3, "\"hash\":\"", "\"hash\":\"x"), 4, "no hash");
    is_broken(&with(3, "UsageProofEnd", "UsageProof"), 4, "not a commit or an end");
    let ahead = verified(&with(3, "\"number\":2", "\"number\":9"));
    assert!(ahead.verdict.is_ok() && !ahead.reaches_head && ahead.to_string().contains("the head is commit 9"));
    is_broken(&whole[..3], 4, "its last line is missing");
    is_broken(&[], 1, "cut off");
    is_broken(&["[\"UsageProof\",1]".to_owned()], 1, "not a JSON object");
}
