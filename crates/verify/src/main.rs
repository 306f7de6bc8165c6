//! `cargo run -p verify -- proof.ndjson`: prints what a proof holds and whether it holds. `-` reads standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: verify <proof.ndjson | ->\n\
                     Checks a proof of GET /v1/usage/proof. Ends with 0 when it holds, 1 when it is broken, 2 when it cannot be read.\n";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path] = arguments.as_slice() else { return failed(USAGE) };
    let proof = match open(path) {
        Ok(proof) => proof,
        Err(error) => return failed(&format!("{path} cannot be read: {error}\n")),
    };
    match verify::verify(proof) {
        Ok(verification) => {
            let code = if verification.verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            match write!(io::stdout(), "{verification}") {
                Ok(()) => code,
                Err(_) => ExitCode::from(2),
            }
        }
        Err(error) => failed(&format!("{path} cannot be read: {error}\n")),
    }
}

fn open(path: &str) -> io::Result<Box<dyn BufRead>> {
    if path == "-" { Ok(Box::new(io::stdin().lock())) } else { Ok(Box::new(BufReader::new(File::open(path)?))) }
}

fn failed(message: &str) -> ExitCode {
    // Nobody is left to tell when this fails, too.
    let _ = io::stderr().write_all(message.as_bytes());
    ExitCode::from(2)
}
