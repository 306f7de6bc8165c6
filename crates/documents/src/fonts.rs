//! Which font shows which character.
//!
//! The index lists font files in the order in which a character looks for one. The big scripts come in slices, so a document loads only the
//! few files that its text needs: ask [`Catalog::needed`], load those, and give them to [`Fonts::new`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use unicode_script::{Script, UnicodeScript};

use crate::document::Document;
use crate::error::DocumentError;
use crate::sheet::Sheet;

/// The face that bold text is set in where it has the letters; others are made bold by a stroke.
pub(crate) const BOLD: &str = "sans-bold";
/// The face that says "I have no such letter" with a box.
pub(crate) const PLAIN: &str = "sans";
/// Whose Han characters are shown: one code point looks different in each country.
const HAN: [&str; 3] = ["jp", "sc", "kr"];

/// All fonts there are, and what each can show.
#[derive(Debug)]
pub struct Catalog {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    family: String,
    name: String,
    ranges: Vec<(u32, u32)>,
}

impl File {
    fn covers(&self, letter: char) -> bool {
        let code = u32::from(letter);
        let next = self.ranges.partition_point(|(first, _)| *first <= code);
        next.checked_sub(1).and_then(|index| self.ranges.get(index)).is_some_and(|(_, last)| code <= *last)
    }
}

#[derive(Deserialize)]
struct Index {
    fonts: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    family: String,
    file: String,
    ranges: String,
}

impl Catalog {
    /// Reads the index that the build writes: `{"fonts":[{"family":"sans","file":"sans.ttf","ranges":"20-7e,a0"}]}`.
    ///
    /// # Errors
    /// It is not such an index.
    pub fn parse(index: &str) -> Result<Self, DocumentError> {
        let index: Index = serde_json::from_str(index).map_err(|error| DocumentError::Index(error.to_string()))?;
        let read = |entry: Entry| {
            let ranges = entry.ranges.split(',').map(range).collect::<Option<Vec<_>>>();
            let ranges = ranges.ok_or_else(|| DocumentError::Index(format!("the ranges of {}", entry.file)))?;
            Ok(File { family: entry.family, name: entry.file, ranges })
        };
        Ok(Self { files: index.fonts.into_iter().map(read).collect::<Result<_, DocumentError>>()? })
    }

    /// The font files that this document's text needs.
    #[must_use]
    pub fn needed(&self, document: &Document) -> Vec<&str> {
        let sheet = Sheet::of(document);
        let order = self.order(&sheet);
        let mut chosen = BTreeMap::new();
        for letter in sheet.texts().flat_map(str::chars) {
            chosen.entry(letter).or_insert_with(|| order.iter().copied().find(|index| self.covers(*index, letter)));
        }
        let always = |file: &File| file.family == PLAIN || file.family == BOLD;
        let wanted = |index: usize, file: &File| always(file) || chosen.values().any(|choice| *choice == Some(index));
        self.files.iter().enumerate().filter(|(index, file)| wanted(*index, file)).map(|(_, file)| file.name.as_str()).collect()
    }

    fn covers(&self, index: usize, letter: char) -> bool {
        self.files.get(index).is_some_and(|file| file.covers(letter))
    }

    /// The files in the order in which a letter of this text looks for one. Bold is a style, not a choice.
    fn order(&self, sheet: &Sheet) -> Vec<usize> {
        let preferred = han_of(sheet);
        let rank =
            |file: &File| HAN.iter().position(|family| *family == file.family).map_or(0, |_| if file.family == preferred { 1 } else { 2 });
        let mut order: Vec<usize> = self.files.iter().enumerate().filter(|(_, file)| file.family != BOLD).map(|(index, _)| index).collect();
        order.sort_by_key(|index| self.files.get(*index).map_or(3, rank));
        order
    }
}

/// Kana and Hangul give away the language; Han alone is read as Chinese.
fn han_of(sheet: &Sheet) -> &'static str {
    let speaks = |script: &[Script]| sheet.texts().flat_map(str::chars).any(|letter| script.contains(&letter.script()));
    match sheet.language {
        "ja" => "jp",
        _ if speaks(&[Script::Hiragana, Script::Katakana]) => "jp",
        _ if speaks(&[Script::Hangul]) => "kr",
        _ => "sc",
    }
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((u32::from_str_radix(first, 16).ok()?, u32::from_str_radix(last, 16).ok()?))
}

/// The fonts that were loaded for one document.
#[derive(Debug)]
pub struct Fonts<'a> {
    catalog: &'a Catalog,
    loaded: BTreeMap<usize, Arc<[u8]>>,
}

impl<'a> Fonts<'a> {
    /// The loaded files by their names. What the catalogue does not know is left out.
    #[must_use]
    pub fn new(catalog: &'a Catalog, files: impl IntoIterator<Item = (String, Arc<[u8]>)>) -> Self {
        let index = |name: &str| catalog.files.iter().position(|file| file.name == name);
        let loaded = files.into_iter().filter_map(|(name, bytes)| index(&name).map(|index| (index, bytes))).collect();
        Self { catalog, loaded }
    }

    /// The files in the order in which this sheet's letters look for one, and the bold one last.
    pub(crate) fn faces(&self, sheet: &Sheet) -> Vec<Face<'_>> {
        let order = self.catalog.order(sheet);
        let bold = self.catalog.files.iter().position(|file| file.family == BOLD);
        order.into_iter().chain(bold).filter_map(|index| self.face(index)).collect()
    }

    fn face(&self, index: usize) -> Option<Face<'_>> {
        let file = self.catalog.files.get(index)?;
        self.loaded.get(&index).map(|bytes| Face { file, bytes })
    }
}

/// One loaded font.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face<'a> {
    file: &'a File,
    pub bytes: &'a [u8],
}

impl Face<'_> {
    pub fn name(&self) -> &str {
        &self.file.name
    }

    pub fn family(&self) -> &str {
        &self.file.family
    }

    pub fn covers(&self, letter: char) -> bool {
        self.file.covers(letter)
    }
}
