//! The export: the whole log or a range of it, page by page, in the order of the chain.

use axum::body::Body;
use axum::response::Response;
use futures::stream;
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::rules::Range;
use super::store::{Log, Row, Span};
use super::wire::EntryView;
use super::{csv, store};
use crate::kernel::audit::Head;
use crate::kernel::error::Result;
use crate::kernel::time::Timestamp;

/// Entries of one page: a page is sent while the next one is read.
const PAGE: u32 = 200;

/// The format of an exported audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object per line, with the hashes.
    #[default]
    Ndjson,
    /// Comma-separated values, for spreadsheets.
    Csv,
}

/// The range and the format of an export.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Entries from this time on (RFC 3339)
    #[param(value_type = Option<String>)]
    pub from: Option<Timestamp>,
    /// Entries before this time (RFC 3339)
    #[param(value_type = Option<String>)]
    pub to: Option<Timestamp>,
    /// `ndjson`, or `csv` for spreadsheets; `ndjson` when absent
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub format: Format,
}

/// The part of the export that is not sent.
struct Rest {
    log: Log,
    format: Format,
    span: Span,
    /// The last line; None after it was sent.
    end: Option<String>,
}

/// Answers with the range. The first page is read before the answer begins, so that an immediate failure is a problem document. A later
/// failure interrupts the answer, which shows by the missing last line.
pub async fn answer(log: Log, query: &ExportQuery) -> Result<Response> {
    let range = Range::new(query.from, query.to)?;
    let head = store::head(&log).await?;
    let mut span = store::span(&log, range).await?;
    // Entries written from now on belong to the next export.
    span = Span { first: span.first.min(head.sequence.saturating_add(1)), last: span.last.min(head.sequence) };
    let first = match query.format {
        Format::Csv => csv::HEADER.to_owned(),
        Format::Ndjson => begin(&log, range, span).await?,
    };
    let mut rest = Rest { log, format: query.format, span, end: Some(end(query.format, &head)) };
    let first = first + &rest.page().await?.unwrap_or_default();
    let pages = stream::try_unfold((Some(first), rest), |(first, mut rest)| async move {
        let page = match first {
            Some(first) => Some(first),
            None => rest.page().await.map_err(|error| std::io::Error::other(format!("{error:?}")))?,
        };
        Ok::<_, std::io::Error>(page.map(|page| (page, (None, rest))))
    });
    let (content_type, disposition) = match query.format {
        Format::Ndjson => ("application/x-ndjson", "attachment; filename=\"audit-log.ndjson\""),
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit-log.csv\""),
    };
    let mut response = Response::new(Body::from_stream(pages));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

/// The first line: the hash before the first entry.
async fn begin(log: &Log, range: Range, span: Span) -> Result<String> {
    let before = span.first.saturating_sub(1);
    let previous = match store::find(log, before).await? {
        Some(row) => row.hash,
        None => Head::genesis(&log.name()).hash,
    };
    let line = json!({
        "$type": "AuditLog",
        "version": 1,
        "log": log.name(),
        "from": range.from,
        "to": range.to,
        "previous": previous,
        "isGenesis": before == 0,
    });
    Ok(format!("{line}\n"))
}

/// The last line: the log's head at the beginning of the export.
fn end(format: Format, head: &Head) -> String {
    match format {
        Format::Csv => String::new(),
        Format::Ndjson => format!("{}\n", json!({"$type": "AuditLogEnd", "sequence": head.sequence, "hash": head.hash, "at": head.at})),
    }
}

impl Rest {
    /// The next page's lines, and the last line with the last page; None after the last one.
    async fn page(&mut self) -> Result<Option<String>> {
        let Some(end) = self.end.take() else { return Ok(None) };
        let rows = store::chain(&self.log, self.span, PAGE).await?;
        let mut lines = rows.iter().map(|row| line(self.format, row)).collect::<Result<String>>()?;
        match rows.last() {
            Some(last) if last.sequence < self.span.last => {
                self.span.first = last.sequence.saturating_add(1);
                self.end = Some(end);
            }
            _ => lines.push_str(&end),
        }
        Ok(Some(lines))
    }
}

/// An entry's line. In NDJSON the entry stands as it was hashed.
fn line(format: Format, row: &Row) -> Result<String> {
    match format {
        Format::Ndjson => Ok(format!("{{\"sequence\":{},\"hash\":\"{}\",\"entry\":{}}}\n", row.sequence, row.hash, row.entry)),
        Format::Csv => EntryView::read(row).map(|entry| csv::line(&entry)),
    }
}
