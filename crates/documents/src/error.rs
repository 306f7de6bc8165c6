//! Why something cannot be printed.

use thiserror::Error;

/// Why a document, a font or a logo cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// The index of the fonts is not what the build writes.
    #[error("the index of the fonts can't be read ({0}); make the fonts again")]
    Index(String),
    /// A font file is not one, or has no outlines that we embed.
    #[error("the font {0} can't be used; give a TrueType font")]
    Font(String),
    /// There is no font at all.
    #[error("there is no font to set text in; load those that `Catalog::needed` names")]
    NoFonts,
    /// The document is longer than anybody reads.
    #[error("the document has {lines} lines, at most {max} can be printed; print it in parts")]
    TooLong {
        /// How many it has.
        lines: usize,
        /// How many it may have.
        max: usize,
    },
    /// The HTML template is broken.
    #[error("the template does not render: {0}")]
    Template(String),
    /// The logo is no picture that can be printed.
    #[error("the logo can't be printed: {0}")]
    Logo(&'static str),
}
