//! Printed invoices and credit notes.
//!
//! This crate turns a [`Document`], which is plain data, into HTML that prints ([`html`]) and into PDF ([`pdf`]). It does not own what a
//! document says: amounts are printed as they are given, and nothing is computed. It reads no file, no clock and no network; fonts are
//! arguments.
//!
//! Read it in this order:
//!
//! 1. [`document`]: what is printed.
//! 2. [`locale`]: how a language writes numbers, money and days, and what it calls the parts of an invoice.
//! 3. `sheet`: the document as strings. HTML and PDF both show these, so they cannot differ.
//! 4. `html`: the page for a browser and its printer.
//! 5. [`fonts`]: which font shows which character, and which files a document needs.
//! 6. `text`: bidirectional order, shaping, lines. `pdf`: pages, tables, embedded fonts, logos.
//!
//! Invariants:
//!
//! - The same document and fonts give the same bytes: no clock, no chance, no order of a hash table.
//! - A name in any script that the fonts have is shown as its readers write it: shaped, in their direction, and copied as the text it is.
//!   A letter that no font has is a visible box.
//! - HTML and PDF show the same strings. What came from outside is escaped, and neither loads anything.
//! - Nothing panics: what cannot be printed is a typed error.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

pub mod document;
pub mod error;
pub mod fonts;
pub mod locale;

mod html;
mod logo;
mod pdf;
mod sheet;
mod text;

pub use document::{Adjustment, Document, Kind, Line, Logo, Party, Span, Status, Tax};
pub use error::DocumentError;
pub use fonts::{Catalog, Fonts};
pub use html::html;
pub use locale::Locale;
pub use pdf::{LINES_MAX, pdf};
