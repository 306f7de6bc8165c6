//! Exported audit logs that hold, and what is said of those that were tampered with.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use verify::{AuditVerification, Kept, verify_audit};

const LOG: &str = "org_01h455vb4pex5vsknk084sn02q";

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of entry `sequence`. serde writes members by name, which is canonical for these.
fn entry(sequence: u64, after: &Value) -> String {
    let at = format!("2026-01-01T00:00:{:02}Z", sequence.min(59));
    json!({"log": LOG, "sequence": sequence, "at": at, "action": "apiKey.created", "after": after}).to_string()
}

fn line(sequence: u64, hash: &str, entry: &str) -> String {
    format!(r#"{{"sequence":{sequence},"hash":"{hash}","entry":{entry}}}"#)
}

/// A log of so many entries, as it is exported.
fn exported(entries: &[Value]) -> Vec<String> {
    let mut hash = sha256(&format!("tenantry-audit-chain-v1\n{LOG}"));
    let header = json!({"$type": "AuditLog", "version": 1, "log": LOG, "from": "1970-01-01T00:00:00Z", "to": "9999-12-31T23:59:59.999Z", "previous": hash, "isGenesis": true});
    let mut lines = vec![header.to_string()];
    for (after, sequence) in entries.iter().zip(1..) {
        let entry = entry(sequence, after);
        hash = sha256(&format!("{hash}\n{entry}"));
        lines.push(line(sequence, &hash, &entry));
    }
    lines.push(end(entries.len() as u64, &hash));
    lines
}

fn end(sequence: u64, hash: &str) -> String {
    json!({"$type": "AuditLogEnd", "sequence": sequence, "hash": hash, "at": format!("2026-01-01T00:00:{:02}Z", sequence.min(59))})
        .to_string()
}

fn five() -> Vec<String> {
    exported(&(1..=5).map(|number| json!({"name": format!("key {number}"), "scopes": ["ü", "\n"]})).collect::<Vec<_>>())
}

fn head(lines: &[String]) -> Kept {
    let end: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    Kept { sequence: end["sequence"].as_u64().unwrap(), hash: end["hash"].as_str().unwrap().to_owned() }
}

fn verified(lines: &[String], kept: Option<Kept>) -> AuditVerification {
    let file: String = lines.iter().map(|line| format!("{line}\n")).collect();
    verify_audit(file.as_bytes(), kept).unwrap()
}

/// The line that is wrong, and what is said of it.
#[track_caller]
fn assert_broken(lines: &[String], kept: Option<Kept>, at: u64, said: &str) {
    let broken = verified(lines, kept).verdict.unwrap_err();
    assert!(broken.line == at && broken.what.contains(said), "{broken}");
}

#[test]
fn a_whole_log_holds() {
    let lines = five();
    let found = verified(&lines, Some(head(&lines)));
    assert_eq!((found.verdict.clone(), found.reaches_head, found.entries), (Ok(()), true, Some((1, 5))));
    assert!(found.to_string().contains("the head that was kept") && found.to_string().ends_with("VERIFIED\n"), "{found}");
    let empty = exported(&[]);
    assert_eq!(verified(&empty, None).verdict, Ok(()));
    // An older head pins what was before it.
    let older: Value = serde_json::from_str(&lines[3]).unwrap();
    let older = Kept { sequence: 3, hash: older["hash"].as_str().unwrap().to_owned() };
    assert_eq!(verified(&lines, Some(older)).verdict, Ok(()));
}

#[test]
fn a_changed_line_is_named() {
    let mut lines = five();
    lines[3] = lines[3].replace("key 3", "key 4");
    assert_broken(&lines, None, 4, "the hash of entry 3 does not follow from its text and the hash before it");
    // With a hash that fits, the next line tells.
    let previous: Value = serde_json::from_str(&lines[2]).unwrap();
    let text = entry(3, &json!({"name": "key 4"}));
    lines[3] = line(3, &sha256(&format!("{}\n{text}", previous["hash"].as_str().unwrap())), &text);
    assert_broken(&lines, None, 5, "the hash of entry 4");
}

#[test]
fn spaces_and_doubles_are_changes_too() {
    let mut lines = five();
    lines[2] = lines[2].replace("\"entry\":{", "\"entry\":{ ");
    assert_broken(&lines, None, 3, "not written as it was hashed");
    let mut lines = five();
    lines[2] = lines[2].replace("\"entry\":{", "\"entry\":{\"action\":\"apiKey.revoked\",");
    assert_broken(&lines, None, 3, "not written as it was hashed");
}

#[test]
fn a_removed_line_is_missed() {
    let mut lines = five();
    lines.remove(2);
    assert_broken(&lines, None, 3, "it is entry 3, and entry 2 is due: one was removed or moved");
    let mut lines = five();
    lines.remove(1);
    assert_broken(&lines, None, 2, "it is entry 2, and entry 1 is due");
}

#[test]
fn an_inserted_line_is_found() {
    let mut lines = five();
    lines.insert(3, lines[2].clone());
    assert_broken(&lines, None, 4, "it is entry 2, and entry 3 is due: it was inserted or moved");
    let mut lines = five();
    let text = entry(3, &json!({"name": "never was"}));
    lines.insert(3, line(3, &sha256("anything"), &text));
    assert_broken(&lines, None, 4, "the hash of entry 3");
}

#[test]
fn lines_that_changed_places_are_found() {
    let mut lines = five();
    lines.swap(2, 3);
    assert_broken(&lines, None, 3, "it is entry 3, and entry 2 is due: one was removed or moved");
    let mut lines = five();
    let numbered =
        |text: &str, from: u64, to: u64| text.replace(&format!("\"sequence\":{from},\"hash\""), &format!("\"sequence\":{to},\"hash\""));
    (lines[2], lines[3]) = (numbered(&lines[3], 3, 2), numbered(&lines[2], 2, 3));
    assert_broken(&lines, None, 3, "says that it is entry 3, and it stands as entry 2");
}

#[test]
fn a_tail_that_is_missing_is_missed() {
    let lines = five();
    // The end was cut off with it.
    assert_broken(&lines[..4], None, 5, "cut off");
    // The end is still there.
    let mut cut = lines.clone();
    cut.drain(4..6);
    assert_broken(&cut, None, 5, "its tail is missing");
    // The end was written anew: nobody knows but who kept the head.
    let third: Value = serde_json::from_str(&lines[3]).unwrap();
    *cut.last_mut().unwrap() = end(3, third["hash"].as_str().unwrap());
    assert_eq!(verified(&cut, None).verdict, Ok(()));
    assert_broken(&cut, Some(head(&lines)), 5, "does not lead to entry 5, the head that was kept: its tail is missing");
}

#[test]
fn another_history_is_told_by_a_head_that_was_kept() {
    let kept = head(&five());
    let other = exported(&(1..=7).map(|number| json!({"name": number})).collect::<Vec<_>>());
    assert_eq!(verified(&other, None).verdict, Ok(()));
    assert_broken(&other, Some(kept), 6, "another history");
}

#[test]
fn another_tenants_entry_is_no_entry_of_this_log() {
    let mut lines = five();
    let previous: Value = serde_json::from_str(&lines[5]).unwrap();
    let text = entry(6, &json!(null)).replace(LOG, "org_of_somebody_else");
    let hash = sha256(&format!("{}\n{text}", previous["hash"].as_str().unwrap()));
    lines[6] = line(6, &hash, &text);
    lines.push(end(6, &hash));
    assert_broken(&lines, None, 7, "of another log");
    let mut lines = five();
    lines[0] = lines[0].replace(LOG, "org_of_somebody_else");
    assert_broken(&lines, None, 1, "not the hash that this log begins with");
}

#[test]
fn what_is_no_log_is_told() {
    assert_broken(&[], None, 1, "cut off");
    assert_broken(&["x".to_owned()], None, 1, "not a JSON object");
    assert_broken(&["{}".to_owned()], None, 1, "not the first line of an audit log");
    let mut lines = five();
    lines.push("{}".to_owned());
    assert_broken(&lines, None, 8, "after the end");
}

proptest! {
    #[test]
    fn whatever_one_byte_becomes_it_is_found(line in 1..6_usize, at in any::<prop::sample::Index>(), by in 1..128_u8) {
        let mut lines = five();
        let mut bytes = lines[line].clone().into_bytes();
        let byte = at.index(bytes.len());
        bytes[byte] ^= by;
        if let Ok(text) = String::from_utf8(bytes) {
            // A line feed makes two lines of one, and both are read.
            let before: Value = serde_json::from_str(&lines[line]).unwrap();
            let is_same = serde_json::from_str::<Value>(&text).is_ok_and(|after| after == before);
            lines[line] = text;
            let verdict = verified(&lines, None).verdict;
            prop_assert!(verdict.is_err() || is_same, "{:?}", lines[line]);
            if let Err(broken) = verdict {
                // A hash that was changed is missed by its own line.
                prop_assert!(broken.line == line as u64 + 1, "{}", broken);
            }
        }
    }

    #[test]
    fn whatever_is_removed_or_moved_is_found(count in 2..9_usize, at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), is_moved: bool) {
        let mut lines = exported(&(0..count).map(|number| json!({"name": number})).collect::<Vec<_>>());
        let at = at.index(count) + 1;
        let taken = lines.remove(at);
        let to = to.index(count) + 1;
        if is_moved {
            lines.insert(to, taken);
        }
        let is_as_before = is_moved && at == to;
        prop_assert_eq!(verified(&lines, None).verdict.is_ok(), is_as_before);
    }

    #[test]
    fn no_text_is_an_audit_log(text in "(\\PC|\n){0,200}", after in "(\\PC|\n){1,90}") {
        // Alone, and after a log that holds.
        let lines = five();
        let log: String = lines.iter().map(|line| format!("{line}\n")).collect();
        for (file, first) in [(text.clone(), 1), (format!("{log}{after}"), lines.len() as u64 + 1)] {
            let found = verify_audit(file.as_bytes(), None).unwrap();
            let said = found.to_string();
            let broken = found.verdict.unwrap_err();
            let last = file.lines().count() as u64 + 1;
            prop_assert!((first..=last).contains(&broken.line), "line {} of {first} to {last}", broken.line);
            prop_assert!(said.ends_with(&format!("BROKEN: {broken}\n")) && !said.contains("VERIFIED"), "{}", said);
        }
    }
}

/// What the command prints and its exit code.
fn run(arguments: &[&str], input: &str) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn the_command_knows_an_audit_log() {
    let lines = five();
    let file: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let Kept { sequence, hash } = head(&lines);
    let (text, code) = run(&["-"], &file);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(
        text,
        format!(
            "log      {LOG}\nrange    1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z\nentries  5 (1 to 5)\nhead     5:{hash}\nVERIFIED\n"
        )
    );
    assert_eq!(run(&["-", "--head", &format!("{sequence}:{hash}")], &file).1, Some(0));
    assert_eq!(run(&["-", "--head", &format!("9:{hash}")], &file).1, Some(1));
    assert_eq!(run(&["-"], &file.replace("key 2", "key 9")).1, Some(1));
    for arguments in [&["-", "--head"][..], &["-", "--head", "9"], &["-", "--head", "9:xyz"], &["-", "--tail", "1"]] {
        assert_eq!(run(arguments, &file).1, Some(2), "{arguments:?}");
    }
}
