//! The rows of the catalogue.

/// A code with one of its statuses.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub status: u16,
    pub code: &'static str,
    /// The operations and forms of operations that answer with it.
    pub places: &'static [&'static str],
    pub meaning: &'static str,
    pub remedy: &'static str,
}

/// A code that stands only in `errors`, for one place of the request.
#[derive(Clone, Copy, Debug)]
pub struct FieldKind {
    pub code: &'static str,
    pub meaning: &'static str,
    pub remedy: &'static str,
}

/// One problem: status, code, the places that answer with it, its meaning and its remedy.
macro_rules! problems {
    ($($status:literal $code:ident at $($place:ident)*: $meaning:literal $remedy:literal;)*) => {
        pub(super) const PROBLEMS: &[super::kind::Kind] = &[$(super::kind::Kind {
            status: $status,
            code: stringify!($code),
            places: &[$(stringify!($place)),*],
            meaning: $meaning,
            remedy: $remedy,
        }),*];
    };
}
