//! Lists: newest first, a page at a time. A cursor is the id of the last row shown, so that it survives inserts.

use serde::Serialize;
use std::str::FromStr;

use super::problem::Problem;

/// Rows on a page when the client names no `limit`, and at most.
pub const LIMIT_DEFAULT: u32 = 20;
pub const LIMIT_MAX: u32 = 100;

/// `limit` and `cursor` as sent.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    pub limit: Option<String>,
    pub cursor: Option<String>,
}

/// One page to fetch: `limit` rows with ids before `before`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub limit: u32,
    pub before: Option<String>,
}

impl PageQuery {
    /// Checks both; the cursor must be an id of the listed kind.
    pub fn check<Id: FromStr + ToString>(&self) -> Result<PageRequest, Problem> {
        let limit = match &self.limit {
            None => LIMIT_DEFAULT,
            Some(text) => text
                .parse::<u32>()
                .ok()
                .filter(|limit| (1..=LIMIT_MAX).contains(limit))
                .ok_or_else(|| Problem::invalid("limit", "invalid_limit", format!("Send a limit from 1 to {LIMIT_MAX}.")))?,
        };
        let before = match &self.cursor {
            None => None,
            Some(text) => Some(text.parse::<Id>().map_err(|_| foreign_cursor())?.to_string()),
        };
        Ok(PageRequest { limit, before })
    }
}

/// The cursor is none that we gave for this list.
pub fn foreign_cursor() -> Problem {
    Problem::invalid("cursor", "invalid_cursor", "Send the nextCursor of an earlier page of this list, unchanged.")
}

impl PageRequest {
    /// One row more than the page holds tells whether there is another page.
    pub fn fetch(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// The bound for `id < ?`: above every id when there is no cursor.
    pub fn bound(&self) -> String {
        self.before.clone().unwrap_or_else(|| "~".to_owned())
    }
}

/// A page as the client reads it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub data: Vec<T>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of `rows`, which were fetched with [`PageRequest::fetch`].
    pub fn of<Row>(rows: Vec<Row>, request: &PageRequest, id: impl Fn(&Row) -> String, view: impl Fn(Row) -> T) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        let shown: Vec<Row> = rows.into_iter().take(limit).collect();
        let next_cursor = if has_more { shown.last().map(id) } else { None };
        Self { data: shown.into_iter().map(view).collect(), has_more, next_cursor }
    }
}
