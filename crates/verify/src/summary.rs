//! What a proof holds, in a few lines for people.

use std::fmt;

use rating::Quantity;

use crate::instant;
use crate::state::Rule;

#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub organization: String,
    pub from: String,
    pub to: String,
    /// Numbers of the first and the last commit.
    pub commits: Option<(u64, u64)>,
    /// Sequences of the first and the last event.
    pub events: Option<(u64, u64)>,
    pub closings: u64,
    /// What the reader has to know of how far this goes.
    pub notes: Vec<String>,
    pub rows: Vec<Row>,
}

/// A metric in a period.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub metric: String,
    pub rule: Rule,
    pub start: i64,
    pub events: u64,
    pub count: Quantity,
    /// Where it is known and is not the count: a level's peak.
    pub billed: Option<Quantity>,
    pub is_opened: bool,
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |range: Option<(u64, u64)>| match range {
            Some((first, last)) => format!("{} ({first} to {last})", last.saturating_sub(first).saturating_add(1)),
            None => "none".to_owned(),
        };
        writeln!(out, "organization  {}", cleaned(&self.organization))?;
        writeln!(out, "range         {} to {}", cleaned(&self.from), cleaned(&self.to))?;
        writeln!(out, "commits       {}, {} of them closings", shown(self.commits), self.closings)?;
        writeln!(out, "events        {}", shown(self.events))?;
        for note in &self.notes {
            writeln!(out, "note          {}", cleaned(note))?;
        }
        let width = self.rows.iter().map(|row| row.metric.chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            let Row { metric, rule, start, events, count, billed, is_opened } = row;
            write!(out, "{:<width$}  {:<12} {:<10}  from {}", cleaned(metric), rule.aggregation, rule.kind, instant::text(*start))?;
            write!(out, "  events {events}  count {count}")?;
            billed.map_or(Ok(()), |billed| write!(out, "  billed {billed}"))?;
            writeln!(out, "{}", if *is_opened { "  (opening count taken from its first event)" } else { "" })?;
        }
        Ok(())
    }
}

/// Nothing in a file moves the reader's cursor.
pub(crate) fn cleaned(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
