//! The command: what it prints and how it ends.

use std::io::Write;
use std::process::{Command, Stdio};

use super::support::{Event, Meter, Step};

/// What the command prints and its exit code, with `input` on standard input.
fn run(arguments: &[&str], input: &str) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn proof() -> String {
    let mut meter = Meter::new();
    let event = |metric: usize, units: i128| Event { metric, nanos: units * 500_000_000, timestamp: None, key: None };
    meter.step(&Step::Group(vec![event(1, 3), event(5, 8)]));
    meter.step(&Step::Group(vec![event(5, -2), event(1, 1)]));
    meter.proof().iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_proof_that_holds_ends_with_0() {
    let (text, code) = run(&["-"], &proof());
    assert_eq!(code, Some(0));
    assert_eq!(
        text,
        "organization  org_01h455vb4pex5vsknk084sn02q\n\
         range         2026-01-01T00:00:00Z to 2027-12-31T00:00:00Z\n\
         commits       2 (1 to 2), 0 of them closings\n\
         events        4 (1 to 4)\n\
         note          the file ends with the head: all counters were compared with the Meter's\n\
         seats   sum          level       from 2026-01-01T00:00:00Z  events 2  count 3  billed 4\n\
         tokens  sum          consumable  from 2026-01-01T00:00:00Z  events 2  count 2\n\
         VERIFIED\n"
    );
}

#[test]
fn a_broken_proof_ends_with_1() {
    let (text, code) = run(&["-"], &proof().replace("1.5", "1.6"));
    assert_eq!(code, Some(1));
    assert!(text.ends_with("BROKEN: line 2: the hash of commit 1 does not follow from its body and the hash before it\n"), "{text}");
    assert_eq!(run(&["-"], ""), ("BROKEN: line 1: the file was cut off: its last line is missing\n".to_owned(), Some(1)));
}

#[test]
fn what_cannot_be_read_ends_with_2() {
    for arguments in [&[][..], &["a", "b"], &["no-such-file.ndjson"]] {
        assert_eq!(run(arguments, ""), (String::new(), Some(2)));
    }
}
