//! The errors between a request and its answer. Rules refuse with a [`Problem`]; the others are technical.

use super::problem::Problem;
use super::sql::SqlError;

#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The request is refused; the client reads why.
    Refused(Box<Problem>),
    /// A read row changed before the commit: load and decide again.
    Stale,
    /// A concurrent request with the same idempotency key committed first: return its stored answer.
    AlreadyAnswered,
    /// A binding cannot answer now.
    Unavailable(String),
    /// An internal error; its text is for the log only.
    Internal(String),
}

/// Characters of an error that are stored beside failed work.
const RECORD_LETTERS_MAX: usize = 1_000;

pub type Result<T> = std::result::Result<T, Error>;

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Check(name) if name.contains("fresh") => Self::Stale,
            SqlError::Check(name) if name.contains("fenced") => Problem::moving().into(),
            SqlError::Unique(what) if what.contains("idempotency_keys.") => Self::AlreadyAnswered,
            SqlError::Unavailable(message) => Self::Unavailable(message),
            SqlError::Unique(_) | SqlError::Check(_) | SqlError::ForeignKey | SqlError::Broken(_) => Self::Internal(format!("{error:?}")),
        }
    }
}

/// For operations that fail only by a bug: computing with stored values that were checked, serializing our own types.
pub trait OrInternal<T> {
    fn or_internal(self) -> Result<T>;
}

impl<T, E: std::fmt::Display> OrInternal<T> for std::result::Result<T, E> {
    fn or_internal(self) -> Result<T> {
        self.map_err(|error| Error::Internal(error.to_string()))
    }
}

impl Error {
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into())
    }

    /// The text that is stored beside failed work, for the operator.
    pub fn for_the_record(&self) -> String {
        format!("{self:?}").chars().take(RECORD_LETTERS_MAX).collect()
    }

    /// The problem a client gets for this.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Refused(problem) => *problem,
            Self::Stale => {
                Problem::conflict("changed_meanwhile", "The resource was changed concurrently several times. Read it again and retry.")
            }
            Self::AlreadyAnswered => {
                Problem::conflict("idempotency_in_flight", "A request with this Idempotency-Key is still running. Retry in a second.")
            }
            Self::Unavailable(_) => Problem::unavailable("A database or an object did not answer. Retry with the same Idempotency-Key."),
            Self::Internal(_) => Problem::internal(),
        }
    }
}
