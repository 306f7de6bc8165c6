//! Lists: newest first, a page at a time. A cursor is the id of the last row shown, so that it survives inserts.

use std::str::FromStr;

use serde::Serialize;

use super::error::Result;
use super::problem::Problem;

/// Rows on a page when the client names no `limit`, and at most.
pub const LIMIT_DEFAULT: u32 = 20;
pub const LIMIT_MAX: u32 = 100;

/// `limit` and `cursor` as sent.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 100, 20 when absent
    pub limit: Option<String>,
    /// nextCursor of the page before
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
    pub fn check<Id: FromStr + ToString>(&self) -> Result<PageRequest> {
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

/// The beginning of one page.
pub struct Start<Found> {
    /// The bound for `id < ?`: above every id when there is no cursor.
    pub before: String,
    /// Rows to read: one more than the page holds shows whether there is another page.
    pub fetch: u32,
    /// The row that the cursor names.
    pub found: Option<Found>,
}

impl Start<usize> {
    /// The rows behind the one that was found, of a list that is all in memory.
    pub fn of<Row: Clone>(&self, rows: &[Row]) -> Vec<Row> {
        let shown = self.found.map_or(0, |place| place.saturating_add(1));
        rows.iter().skip(shown).take(usize::try_from(self.fetch).unwrap_or(usize::MAX)).cloned().collect()
    }
}

/// Reads one page of a list. `find` reads the row that the cursor names, as far as the caller may read it: a cursor of another list or
/// tenant is refused. `list` reads the rows from there on, `cursor` names a row, and `view` shows it.
pub async fn list<Cursor, Found, Row, View>(
    query: &PageQuery,
    find: impl AsyncFnOnce(Cursor) -> Result<Option<Found>>,
    list: impl AsyncFnOnce(Start<Found>) -> Result<Vec<Row>>,
    cursor: impl Fn(&Row) -> Cursor,
    view: impl Fn(Row) -> View,
) -> Result<Page<View>>
where
    Cursor: FromStr + ToString,
{
    let request = query.check::<Cursor>()?;
    let found = match request.before.as_deref().map(str::parse) {
        None => None,
        Some(cursor) => Some(find(cursor.map_err(|_| foreign_cursor())?).await?.ok_or_else(foreign_cursor)?),
    };
    let rows = list(Start { before: request.bound(), fetch: request.fetch(), found }).await?;
    Ok(Page::of(rows, &request, |row| cursor(row).to_string(), view))
}

/// The cursor is not of this list.
pub fn foreign_cursor() -> Problem {
    Problem::invalid("cursor", "invalid_cursor", "Send the nextCursor of an earlier page of this list, unchanged.")
}

impl PageRequest {
    /// One row more than the page holds shows whether there is another page.
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
    /// The rows of the page, in the order of the list.
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
