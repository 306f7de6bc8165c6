//! `cargo run -p verify -- proof.json`, `proof.ndjson` or `audit.ndjson`: prints what the file holds and whether it holds. `-` reads
//! standard
//! input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::process::ExitCode;

use verify::{Kept, is_invoice_proof, verify, verify_audit, verify_invoice};

const USAGE: &str = "usage: verify <proof.ndjson | audit.ndjson | -> [--head <number>:<hash>]\n\
                     \x20      verify <invoice-proof.json | -> [usage-proof.ndjson]\n\
                     Checks a proof of GET /v1/usage/proof, or a log of GET /v1/audit-log/export\n\
                     and that it leads to a head that was kept;\n\
                     or computes the invoice of GET /v1/invoices/{id}/proof again, and finds its closings in a usage proof.\n\
                     Ends with 0 when it holds, 1 when it is broken, 2 when it cannot be read.\n";

/// A first line is short; what is longer is an invoice proof, or neither a proof's nor a log's.
const FIRST_LINE_BYTES_MAX: u64 = 64 * 1024;
/// An invoice proof is one document; its plans and lines are bounded.
const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, kept, usage) = match arguments.as_slice() {
        [path] => (path, None, None),
        [path, option, head] if option == "--head" => (path, Some(head), None),
        [path, usage] if !usage.starts_with("--") => (path, None, Some(usage.as_str())),
        _ => return failed(USAGE),
    };
    let kept = match kept.map(|head| head.parse::<Kept>()).transpose() {
        Ok(kept) => kept,
        Err(what) => return failed(&format!("--head: {what}\n{USAGE}")),
    };
    match checked(path, kept, usage) {
        Ok((text, is_sound)) => match io::stdout().write_all(text.as_bytes()) {
            Ok(()) if is_sound => ExitCode::SUCCESS,
            Ok(()) => ExitCode::FAILURE,
            Err(_) => ExitCode::from(2),
        },
        Err(error) => failed(&format!("{path} cannot be read: {error}\n")),
    }
}

/// What is to be printed, and whether the file holds. Its first line says what it is.
fn checked(path: &str, kept: Option<Kept>, usage: Option<&str>) -> io::Result<(String, bool)> {
    let mut file = open(path)?;
    let mut first = Vec::new();
    file.by_ref().take(FIRST_LINE_BYTES_MAX).read_until(b'\n', &mut first)?;
    let is_audit = serde_json::from_slice::<serde_json::Value>(&first).is_ok_and(|line| line["$type"] == "AuditLog");
    let is_line = serde_json::from_slice::<serde_json::Value>(&first).is_ok_and(|line| line["$type"] != "InvoiceProof");
    let whole = Cursor::new(first).chain(file);
    if is_audit || kept.is_some() {
        let found = verify_audit(whole, kept)?;
        return Ok((found.to_string(), found.verdict.is_ok()));
    }
    if is_line && usage.is_none() {
        let found = verify(whole)?;
        return Ok((found.to_string(), found.verdict.is_ok()));
    }
    let mut text = Vec::new();
    whole.take(DOCUMENT_BYTES_MAX).read_to_end(&mut text)?;
    let is_invoice = std::str::from_utf8(&text).is_ok_and(is_invoice_proof);
    if !is_invoice && usage.is_none() {
        let found = verify(Cursor::new(text))?;
        return Ok((found.to_string(), found.verdict.is_ok()));
    }
    let mut usage = usage.map(open).transpose()?;
    let usage = usage.as_mut().map(|file| file as &mut dyn BufRead);
    let found = verify_invoice(&String::from_utf8_lossy(&text), usage)?;
    Ok((found.to_string(), found.verdict.is_ok()))
}

fn open(path: &str) -> io::Result<Box<dyn BufRead>> {
    if path == "-" { Ok(Box::new(io::stdin().lock())) } else { Ok(Box::new(BufReader::new(File::open(path)?))) }
}

fn failed(message: &str) -> ExitCode {
    // Nobody is left to tell when this fails, too.
    let _ = io::stderr().write_all(message.as_bytes());
    ExitCode::from(2)
}
