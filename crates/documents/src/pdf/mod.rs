//! The document as PDF: A4, the table's head on every page, fonts embedded as the few glyphs that are used.

mod canvas;
mod embed;
mod file;
mod layout;

use crate::document::Document;
use crate::error::DocumentError;
use crate::fonts::Fonts;
use crate::logo::Picture;
use crate::sheet::Sheet;
use crate::text::Typesetter;

/// Lines of one document: some hundred pages. Longer ones are data, not documents to print.
pub const LINES_MAX: usize = 5_000;

/// The document as PDF. The same document and fonts give the same bytes.
///
/// # Errors
/// The document is too long, a font is none, the plain font is missing, or the logo is no picture that we can draw.
pub fn pdf(document: &Document, fonts: &Fonts<'_>) -> Result<Vec<u8>, DocumentError> {
    if document.lines.len() > LINES_MAX {
        return Err(DocumentError::TooLong { lines: document.lines.len(), max: LINES_MAX });
    }
    let sheet = Sheet::of(document);
    let picture = document.logo.as_ref().map(Picture::of).transpose()?;
    let mut typesetter = Typesetter::new(fonts.faces(&sheet))?;
    let pages = layout::pages(&sheet, picture.as_ref(), &mut typesetter);
    file::assemble(document, &sheet, picture.as_ref(), &pages, &typesetter)
}
