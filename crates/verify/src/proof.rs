//! A proof, line by line: where it begins, each commit, and where it ends.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};

use crate::chain;
use crate::counters::Counters;
use crate::instant;
use crate::keys::Keys;
use crate::lines::{Body, Counter, Header, Line, read, read_line};
use crate::summary::{Summary, cleaned};

/// A commit holds one group of requests; what is longer is none.
pub(crate) const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a proof holds, and whether it holds. Its text is what the command prints.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The first thing that is wrong.
    pub verdict: Result<(), Broken>,
    /// The last commit of the file is the last one there is: nothing was left out after it, and the counters were compared.
    pub reaches_head: bool,
    /// The file holds every event there is up to its end, so that no count had to be believed.
    pub is_complete: bool,
    summary: Summary,
    /// The hashes of closings, by number.
    closings: BTreeMap<u64, String>,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Counted from 1.
    pub line: u64,
    /// In words.
    pub what: String,
}

/// Reads a proof to its end, or to the first thing that is wrong.
///
/// # Errors
/// The file can't be read.
pub fn verify(mut file: impl BufRead) -> io::Result<Verification> {
    let mut proof: Option<Proof> = None;
    let mut bytes = Vec::new();
    let mut line = 0_u64;
    let verdict = loop {
        line = line.saturating_add(1);
        bytes.clear();
        let length = file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            break if proof.as_ref().is_some_and(|proof| proof.is_ended) {
                Ok(())
            } else {
                Err("the file was cut off: its last line is missing".to_owned())
            };
        }
        let checked = text_of(&bytes).and_then(|text| match &mut proof {
            None => Proof::begin(text).map(|begun| proof = Some(begun)),
            Some(proof) => proof.line(text),
        });
        if let Err(what) = checked {
            break Err(what);
        }
    };
    let verdict = verdict.map_err(|what| Broken { line, what });
    Ok(proof.map_or_else(|| Verification::of_nothing(verdict.clone()), |proof| proof.finish(verdict.clone())))
}

pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, String> {
    if !bytes.ends_with(b"\n") && u64::try_from(bytes.len()).is_ok_and(|length| length >= LINE_BYTES_MAX) {
        return Err(format!("it is longer than {LINE_BYTES_MAX} bytes"));
    }
    std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

struct Proof {
    header: Header,
    /// Of the last commit.
    number: Option<u64>,
    hash: String,
    /// Of the next event; None before the first.
    next_sequence: Option<u64>,
    counters: Counters,
    keys: Keys,
    is_ended: bool,
    reaches_head: bool,
    closings: BTreeMap<u64, String>,
    summary: Summary,
}

impl Proof {
    fn begin(text: &str) -> Result<Self, String> {
        let header: Header = read("the first line of a proof", text)?;
        let Header { kind, version, organization, from, to, previous, is_genesis } = &header;
        if kind != "UsageProof" || *version != 1 {
            return Err("it is not the first line of a proof of version 1".to_owned());
        }
        if !chain::is_hash(previous) {
            return Err("previous is no hash".to_owned());
        }
        if *is_genesis && *previous != chain::genesis(organization) {
            return Err("previous is not the hash that this organization's commits begin with".to_owned());
        }
        let (Some(_), Some(_)) = (instant::parse(from), instant::parse(to)) else {
            return Err("from and to are not instants in UTC such as 2026-11-22T10:00:00Z".to_owned());
        };
        let summary = Summary { organization: organization.clone(), from: from.clone(), to: to.clone(), ..Summary::default() };
        Ok(Self {
            number: None,
            hash: previous.clone(),
            next_sequence: None,
            counters: Counters::new(*is_genesis),
            keys: Keys::default(),
            is_ended: false,
            reaches_head: false,
            closings: BTreeMap::new(),
            summary,
            header,
        })
    }

    fn line(&mut self, text: &str) -> Result<(), String> {
        if self.is_ended {
            return Err("it comes after the end".to_owned());
        }
        let Line { kind, number, hash, body, counters } = read_line(text)?;
        if !chain::is_hash(&hash) {
            return Err("hash is no hash".to_owned());
        }
        match (kind.as_deref(), body, counters) {
            (None, Some(body), None) => self.commit(number, &hash, &body),
            (Some("UsageProofEnd"), None, Some(counters)) => self.end(number, &hash, &counters),
            _ => Err("it is not a commit or an end".to_owned()),
        }
    }

    fn commit(&mut self, number: u64, hash: &str, text: &str) -> Result<(), String> {
        self.check_number(number)?;
        if chain::chained(&self.hash, text) != hash {
            return Err(format!("the hash of commit {number} does not follow from its body and the hash before it"));
        }
        let body: Body = read("the body of a commit", text)?;
        if body.number != number {
            return Err(format!("its body is that of commit {}", body.number));
        }
        match (&body.closing, body.first) {
            (Some(closing), None) if body.events.is_empty() => {
                self.counters.close(closing).map_err(|what| format!("closing: {what}"))?;
                self.summary.closings = self.summary.closings.saturating_add(1);
                self.closings.insert(number, hash.to_owned());
            }
            (None, Some(first)) => self.events(first, &body)?,
            _ => return Err("its body holds neither events nor a closing".to_owned()),
        }
        self.number = Some(number);
        hash.clone_into(&mut self.hash);
        let first = self.summary.commits.map_or(number, |(first, _)| first);
        self.summary.commits = Some((first, number));
        Ok(())
    }

    fn check_number(&self, number: u64) -> Result<(), String> {
        match self.number.map(|before| before.checked_add(1)) {
            Some(expected) if expected != Some(number) => {
                Err(format!("it is commit {number}, and commit {} is due", expected.unwrap_or(u64::MAX)))
            }
            None if self.header.is_genesis && number != 1 => Err(format!("it is commit {number}, and commit 1 is due")),
            None if !self.header.is_genesis && number <= 1 => {
                Err("it is the first commit, and the first line says that it isn't".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn events(&mut self, first: u64, body: &Body) -> Result<(), String> {
        if self.next_sequence.is_some_and(|due| due != first) {
            return Err(format!("it begins with event {first}, and event {} is due", self.next_sequence.unwrap_or(0)));
        }
        if self.next_sequence.is_none() && first != 1 {
            self.counters.is_not_complete();
        }
        let mut sequence = first;
        for event in &body.events {
            let wrong = |what: String, metric: &str| format!("event {sequence} of {metric}: {what}");
            let Some(standing) = body.standings.get(event.0) else { return Err(wrong("it has no standing".to_owned(), "nothing")) };
            if let Some(key) = event.3.as_deref().filter(|key| !self.keys.take(key, body.at)) {
                return Err(wrong(format!("its idempotency key \"{}\" was counted before", cleaned(key)), &standing.0));
            }
            let note = self.counters.count(standing, event, body.at).map_err(|what| wrong(what, &standing.0))?;
            self.summary.notes.extend(note);
            self.summary.events = Some((self.summary.events.map_or(sequence, |(first, _)| first), sequence));
            sequence = sequence.checked_add(1).ok_or("its events have no numbers")?;
        }
        self.next_sequence = Some(sequence);
        Ok(())
    }

    fn end(&mut self, number: u64, hash: &str, counters: &[Counter]) -> Result<(), String> {
        let is_behind = self.number.is_some_and(|last| number < last);
        let is_same = self.number.map_or(hash == self.hash, |last| number == last);
        if is_behind || is_same && hash != self.hash || number == 0 && !(self.header.is_genesis && is_same) {
            return Err("the end is not that of this chain".to_owned());
        }
        if is_same {
            self.counters.compare(counters)?;
        } else {
            let last = self.number.map_or("no commit".to_owned(), |last| format!("commit {last}"));
            let note = format!("the file ends with {last} and the head is commit {number}: the counters were not compared");
            self.summary.notes.push(note);
        }
        self.reaches_head = is_same;
        self.is_ended = true;
        Ok(())
    }

    fn finish(mut self, verdict: Result<(), Broken>) -> Verification {
        let is_complete = self.counters.is_complete();
        if !is_complete {
            let note = concat!(
                "the file does not begin with the organization's first event: ",
                "opening counts are taken from the first event of each metric and period"
            );
            self.summary.notes.insert(0, note.to_owned());
        }
        if self.reaches_head {
            let which = if is_complete { "all counters" } else { "the counters of what is in the file" };
            self.summary.notes.push(format!("the file ends with the head: {which} were compared with the Meter's"));
        }
        self.summary.rows = self.counters.rows();
        Verification { verdict, reaches_head: self.reaches_head, is_complete, summary: self.summary, closings: self.closings }
    }
}

impl Verification {
    fn of_nothing(verdict: Result<(), Broken>) -> Self {
        Self { verdict, reaches_head: false, is_complete: false, summary: Summary::default(), closings: BTreeMap::new() }
    }

    pub(crate) fn organization(&self) -> &str {
        &self.summary.organization
    }

    /// Numbers of the first and the last commit.
    pub(crate) fn commits(&self) -> Option<(u64, u64)> {
        self.summary.commits
    }

    /// The hash of a closing of the file.
    pub(crate) fn closing_hash(&self, number: u64) -> Option<&str> {
        self.closings.get(&number).map(String::as_str)
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.summary.organization.is_empty() {
            write!(out, "{}", self.summary)?;
        }
        match &self.verdict {
            Ok(()) => writeln!(out, "VERIFIED"),
            Err(broken) => writeln!(out, "BROKEN: {broken}"),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, cleaned(&self.what))
    }
}
