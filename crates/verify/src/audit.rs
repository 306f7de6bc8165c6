//! An exported audit log, line by line: where it begins, each entry, and the head that it had when it was exported.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::lines::check;
use crate::proof::{Broken, LINE_BYTES_MAX, text_of};
use crate::summary::cleaned;
use crate::{canonical, chain, instant};

/// A head that somebody kept, to be found in the file: `20:<64 hex digits>`, the number and hash of `GET /v1/audit-log/head`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The entry's number.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(sequence, hash)| Some((sequence.parse().ok()?, hash)));
        match parts {
            Some((sequence, hash)) if chain::is_hash(hash) => Ok(Self { sequence, hash: hash.to_owned() }),
            _ => Err("a head is a number, a colon and 64 hex digits, such as 20:9f86…".to_owned()),
        }
    }
}

/// What an exported audit log holds, and whether it holds. Its text is what the command prints.
#[derive(Clone, Debug)]
pub struct AuditVerification {
    /// The first thing that is wrong.
    pub verdict: Result<(), Broken>,
    /// The file ends with the newest entry that there was.
    pub reaches_head: bool,
    /// Numbers of the first and the last entry.
    pub entries: Option<(u64, u64)>,
    header: Header,
    hash: String,
    notes: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(rename = "$type")]
    kind: String,
    version: u64,
    log: String,
    from: String,
    to: String,
    previous: String,
    is_genesis: bool,
}

/// Every line but the first: an entry, or the end.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "$type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    sequence: u64,
    #[serde(borrow)]
    hash: Cow<'a, str>,
    #[serde(borrow, default)]
    entry: Option<&'a RawValue>,
    #[serde(borrow, default)]
    at: Option<Cow<'a, str>>,
}

/// What is checked of an entry; the rest is what its author says.
#[derive(Deserialize)]
struct Entry {
    log: String,
    sequence: u64,
    at: String,
}

/// Reads an exported audit log to its end, or to the first thing that is wrong. With a head that was kept, the file must lead to it.
///
/// # Errors
/// The file can't be read.
pub fn verify_audit(mut file: impl BufRead, kept: Option<Kept>) -> io::Result<AuditVerification> {
    let mut log: Option<Log> = None;
    let mut bytes = Vec::new();
    let mut line = 0_u64;
    let verdict = loop {
        line = line.saturating_add(1);
        bytes.clear();
        let length = file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            let is_ended = log.as_ref().is_some_and(|log| log.is_ended);
            break if is_ended { Ok(()) } else { Err("the file was cut off: its last line is missing".to_owned()) };
        }
        let checked = text_of(&bytes).and_then(|text| match &mut log {
            None => Log::begin(text, kept.clone()).map(|begun| log = Some(begun)),
            Some(log) => log.line(text),
        });
        if let Err(what) = checked {
            break Err(what);
        }
    };
    let verdict = verdict.map_err(|what| Broken { line, what });
    Ok(match log {
        Some(log) => log.finish(verdict),
        None => AuditVerification {
            verdict,
            reaches_head: false,
            entries: None,
            header: Header::default(),
            hash: String::new(),
            notes: Vec::new(),
        },
    })
}

struct Log {
    header: Header,
    from: i64,
    to: i64,
    kept: Option<Kept>,
    /// Of the last entry.
    sequence: Option<u64>,
    first: Option<u64>,
    hash: String,
    at: i64,
    is_ended: bool,
    reaches_head: bool,
    notes: Vec<String>,
}

impl Log {
    fn begin(text: &str, kept: Option<Kept>) -> Result<Self, String> {
        let header: Header = check("the first line of an audit log", text, serde_json::from_str(text))?;
        if header.kind != "AuditLog" || header.version != 1 {
            return Err("it is not the first line of an audit log of version 1".to_owned());
        }
        if !chain::is_hash(&header.previous) {
            return Err("previous is no hash".to_owned());
        }
        if header.is_genesis && header.previous != chain::audit_genesis(&header.log) {
            return Err("previous is not the hash that this log begins with".to_owned());
        }
        let (Some(from), Some(to)) = (instant::parse(&header.from), instant::parse(&header.to)) else {
            return Err("from and to are not instants in UTC such as 2026-11-22T10:00:00Z".to_owned());
        };
        let hash = header.previous.clone();
        Ok(Self {
            header,
            from,
            to,
            kept,
            sequence: None,
            first: None,
            hash,
            at: 0,
            is_ended: false,
            reaches_head: false,
            notes: Vec::new(),
        })
    }

    fn line(&mut self, text: &str) -> Result<(), String> {
        if self.is_ended {
            return Err("it comes after the end".to_owned());
        }
        let Line { kind, sequence, hash, entry, at } = check("an entry or an end", text, serde_json::from_str(text))?;
        if !chain::is_hash(&hash) {
            return Err("hash is no hash".to_owned());
        }
        match (kind.as_deref(), entry, at) {
            (None, Some(entry), None) => self.entry(sequence, &hash, entry.get()),
            (Some("AuditLogEnd"), None, Some(at)) => self.end(sequence, &hash, &at),
            _ => Err("it is not an entry or an end".to_owned()),
        }
    }

    fn entry(&mut self, sequence: u64, hash: &str, text: &str) -> Result<(), String> {
        let entry: Entry = check("an entry", text, serde_json::from_str(text))?;
        self.check_number(sequence)?;
        if entry.sequence != sequence {
            return Err(format!("its entry says that it is entry {}, and it stands as entry {sequence}", entry.sequence));
        }
        let value: Value = check("an entry", text, serde_json::from_str(text))?;
        if canonical::text(&value) != text {
            return Err(format!("entry {sequence} is not written as it was hashed: it was changed"));
        }
        if chain::chained(&self.hash, text) != hash {
            return Err(format!("the hash of entry {sequence} does not follow from its text and the hash before it: it was changed"));
        }
        if entry.log != self.header.log {
            return Err(format!("entry {sequence} is of another log: {}", entry.log));
        }
        let at = instant::parse(&entry.at).ok_or("its time is no instant in UTC")?;
        if at < self.at || !(self.from..self.to).contains(&at) {
            return Err(format!("entry {sequence} is of {}, which is before the entry before it or out of the file's range", entry.at));
        }
        (self.sequence, self.at) = (Some(sequence), at);
        self.first.get_or_insert(sequence);
        hash.clone_into(&mut self.hash);
        self.compare(sequence)
    }

    fn check_number(&mut self, sequence: u64) -> Result<(), String> {
        let due = match self.sequence {
            Some(before) => before.checked_add(1),
            None if self.header.is_genesis => Some(1),
            None if sequence <= 1 => return Err("it is the first entry, and the first line says that it isn't".to_owned()),
            None => {
                self.compare(sequence.saturating_sub(1))?;
                Some(sequence)
            }
        };
        match due {
            Some(due) if sequence == due => Ok(()),
            Some(due) if sequence > due => Err(format!("it is entry {sequence}, and entry {due} is due: one was removed or moved")),
            due => Err(format!("it is entry {sequence}, and entry {} is due: it was inserted or moved", due.unwrap_or(u64::MAX))),
        }
    }

    /// The head that was kept, when the chain is there.
    fn compare(&mut self, sequence: u64) -> Result<(), String> {
        match self.kept.take_if(|kept| kept.sequence == sequence) {
            Some(kept) if kept.hash != self.hash => {
                Err(format!("entry {sequence} has another hash than the head that was kept: this is another history"))
            }
            Some(_) => {
                self.notes.push(format!("entry {sequence} is the head that was kept: nothing before it was changed"));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn end(&mut self, sequence: u64, hash: &str, at: &str) -> Result<(), String> {
        let at = instant::parse(at).ok_or("its time is no instant in UTC")?;
        let last = self.sequence.or_else(|| self.header.is_genesis.then_some(0));
        let is_behind = last.is_some_and(|last| sequence < last);
        self.reaches_head = hash == self.hash;
        if is_behind || last.is_some_and(|last| (last == sequence) != self.reaches_head) {
            return Err("the end is not that of this chain".to_owned());
        }
        if !self.reaches_head && (self.from..self.to).contains(&at) {
            let last = last.map_or("no entry".to_owned(), |last| format!("entry {last}"));
            return Err(format!("the file ends with {last}, and entry {sequence} is in its range: its tail is missing"));
        }
        if !self.reaches_head {
            self.notes.push(format!("the file ends before the newest entry, {sequence}"));
        }
        if self.sequence.is_none() && self.reaches_head {
            self.compare(sequence)?;
        }
        if let Some(kept) = &self.kept {
            if last.is_none_or(|last| kept.sequence > last) {
                return Err(format!("the file does not lead to entry {}, the head that was kept: its tail is missing", kept.sequence));
            }
            self.notes.push(format!("the head that was kept, entry {}, is before the file: it was not compared", kept.sequence));
        }
        self.is_ended = true;
        Ok(())
    }

    fn finish(mut self, verdict: Result<(), Broken>) -> AuditVerification {
        if !self.header.is_genesis {
            self.notes.insert(0, "the file does not begin with the first entry: what is before it was not checked".to_owned());
        }
        let reaches_head = self.is_ended && self.reaches_head;
        let entries = self.first.zip(self.sequence);
        AuditVerification { verdict, reaches_head, entries, header: self.header, hash: self.hash, notes: self.notes }
    }
}

impl fmt::Display for AuditVerification {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.header.log.is_empty() {
            writeln!(out, "log      {}", cleaned(&self.header.log))?;
            writeln!(out, "range    {} to {}", cleaned(&self.header.from), cleaned(&self.header.to))?;
            match self.entries {
                Some((first, last)) => {
                    writeln!(out, "entries  {} ({first} to {last})", last.saturating_sub(first).saturating_add(1))?;
                    writeln!(out, "head     {last}:{}", self.hash)?;
                }
                None => writeln!(out, "entries  none")?,
            }
            for note in &self.notes {
                writeln!(out, "note     {}", cleaned(note))?;
            }
        }
        match &self.verdict {
            Ok(()) => writeln!(out, "VERIFIED"),
            Err(broken) => writeln!(out, "BROKEN: {broken}"),
        }
    }
}
