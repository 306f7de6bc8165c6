//! Text as positioned glyphs: bidirectional order, a font for each run, shaping, and lines of a given width.
//!
//! Words: a *piece* is what stands between two places where a line may be broken, a *cluster* the letters that became one or several glyphs
//! together, a *segment* a run of clusters in one font.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use rustybuzz::{Direction, UnicodeBuffer, ttf_parser};
use unicode_bidi::{BidiInfo, ParagraphInfo};
use unicode_script::{Script, UnicodeScript};

use crate::error::DocumentError;
use crate::fonts::{BOLD, Face, PLAIN};

/// How a text is set. Sizes and widths are points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub size: f32,
    pub is_bold: bool,
}

/// One line of text, its segments from left to right.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetLine {
    pub segments: Vec<Segment>,
    pub size: f32,
    pub width: f32,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub font: usize,
    /// The font has no bold face: its outline is drawn as well.
    pub is_stroked: bool,
    pub clusters: Rc<[Cluster]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// What no glyph alone stands for.
    pub text: Option<String>,
    pub glyphs: Vec<Glyph>,
}

/// Lengths are thousandths of the font's size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glyph {
    pub code: u16,
    /// How far the font itself moves on.
    pub width: f32,
    pub advance: f32,
    pub x_offset: f32,
    pub y_offset: f32,
}

/// A font, and what has been set in it.
pub(crate) struct Font<'a> {
    pub face: Face<'a>,
    pub shaper: rustybuzz::Face<'a>,
    codes: BTreeMap<(u16, String), u16>,
    /// What each code shows, from code 1: a glyph, and the text it stands for.
    pub shown: Vec<(u16, String)>,
}

impl<'a> Font<'a> {
    fn new(face: Face<'a>) -> Result<Self, DocumentError> {
        let shaper = rustybuzz::Face::from_slice(face.bytes, 0).filter(|shaper| shaper.tables().glyf.is_some());
        let shaper = shaper.ok_or_else(|| DocumentError::Font(face.name().to_owned()))?;
        Ok(Self { face, shaper, codes: BTreeMap::new(), shown: Vec::new() })
    }

    /// Font units as thousandths of the size.
    pub fn thousandths(&self, units: i32) -> f32 {
        let per_em = self.shaper.units_per_em().max(1);
        units as f32 * 1000.0 / per_em as f32
    }

    /// The same glyph gets a code for each text it stands for, so that copying and searching give that text back.
    fn code(&mut self, glyph: u16, text: &str) -> u16 {
        if let Some(code) = self.codes.get(&(glyph, text.to_owned())) {
            return *code;
        }
        // What does not fit any more is shown right and copied as something alike.
        let Ok(code) = u16::try_from(self.shown.len().saturating_add(1)) else { return 0 };
        self.shown.push((glyph, text.to_owned()));
        self.codes.insert((glyph, text.to_owned()), code);
        code
    }
}

/// Sets text in the fonts it was given.
pub(crate) struct Typesetter<'a> {
    pub fonts: Vec<Font<'a>>,
    plain: usize,
    bold: Option<usize>,
    choices: BTreeMap<(bool, char), usize>,
    shaped: BTreeMap<(usize, bool, String), Rc<[Cluster]>>,
}

impl<'a> Typesetter<'a> {
    pub fn new(faces: Vec<Face<'a>>) -> Result<Self, DocumentError> {
        let of = |family: &str| faces.iter().position(|face| face.family() == family);
        let (plain, bold) = (of(PLAIN).ok_or(DocumentError::NoFonts)?, of(BOLD));
        let fonts = faces.into_iter().map(Font::new).collect::<Result<_, _>>()?;
        Ok(Self { fonts, plain, bold, choices: BTreeMap::new(), shaped: BTreeMap::new() })
    }

    /// The text on one line.
    pub fn line(&mut self, text: &str, style: Style) -> SetLine {
        let bidi = BidiInfo::new(text, None);
        match bidi.paragraphs.first() {
            Some(paragraph) => self.part(text, &bidi, paragraph, paragraph.range.clone(), style),
            None => SetLine { size: style.size, ..SetLine::default() },
        }
    }

    /// The text on as many lines as it takes.
    pub fn wrap(&mut self, text: &str, style: Style, width_max: f32) -> Vec<SetLine> {
        let bidi = BidiInfo::new(text, None);
        let Some(paragraph) = bidi.paragraphs.first() else { return Vec::new() };
        let ranges = self.broken(text, style, width_max);
        ranges.into_iter().map(|range| self.part(text, &bidi, paragraph, range, style)).collect()
    }

    /// Where the lines begin and end: as much as fits, broken between pieces, and inside of one only where it does not fit alone.
    fn broken(&mut self, text: &str, style: Style, width_max: f32) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let (mut start, mut width) = (0, 0.0);
        for piece in pieces(text) {
            let whole = part_of(text, &piece);
            let visible = self.width(whole.trim_end(), style);
            if width + visible > width_max && piece.start > start {
                lines.push(start..piece.start);
                (start, width) = (piece.start, 0.0);
            }
            if visible <= width_max {
                width += self.width(whole, style);
                continue;
            }
            for (offset, letter) in whole.char_indices() {
                let at = piece.start.saturating_add(offset);
                let step = self.width(letter.encode_utf8(&mut [0; 4]), style);
                if width + step > width_max && at > start && is_base(letter) {
                    lines.push(start..at);
                    (start, width) = (at, 0.0);
                }
                width += step;
            }
        }
        lines.push(start..text.len());
        lines.into_iter().map(|line| line.start..line.start.saturating_add(part_of(text, &line).trim_end().len())).collect()
    }

    fn width(&mut self, text: &str, style: Style) -> f32 {
        self.line(text, style).width
    }

    fn part(&mut self, text: &str, bidi: &BidiInfo<'_>, paragraph: &ParagraphInfo, range: Range<usize>, style: Style) -> SetLine {
        let mut line = SetLine { size: style.size, ..SetLine::default() };
        if range.is_empty() {
            return line;
        }
        let (levels, runs) = bidi.visual_runs(paragraph, range);
        for run in runs {
            let is_rtl = levels.get(run.start).is_some_and(|level| level.is_rtl());
            let mut segments = self.segments(part_of(text, &run), is_rtl, style);
            if is_rtl {
                segments.reverse();
            }
            line.segments.extend(segments);
        }
        let thousandths: f32 = line
            .segments
            .iter()
            .flat_map(|segment| segment.clusters.iter())
            .flat_map(|cluster| &cluster.glyphs)
            .map(|glyph| glyph.advance)
            .sum();
        line.width = thousandths * style.size / 1000.0;
        line
    }

    /// A run of one direction, in reading order, divided where the font or the script changes.
    fn segments(&mut self, run: &str, is_rtl: bool, style: Style) -> Vec<Segment> {
        let mut parts: Vec<(usize, Script, String)> = Vec::new();
        for letter in run.chars() {
            let current = parts.last().map(|(font, script, _)| (*font, *script));
            let font = self.choose(letter, current.map(|(font, _)| font), style.is_bold);
            let script = match letter.script() {
                Script::Common | Script::Inherited | Script::Unknown => current.map_or(Script::Common, |(_, script)| script),
                script => script,
            };
            match parts.last_mut() {
                Some((of_part, known, text)) if *of_part == font && (*known == script || *known == Script::Common) => {
                    *known = script;
                    text.push(letter);
                }
                _ => parts.push((font, script, letter.to_string())),
            }
        }
        let segment = |(font, _, text): (usize, Script, String)| Segment {
            font,
            is_stroked: style.is_bold && Some(font) != self.bold,
            clusters: self.shape(font, is_rtl, text),
        };
        parts.into_iter().map(segment).collect()
    }

    /// What is no letter stays in the font of the letter before it, as long as that has it.
    fn choose(&mut self, letter: char, current: Option<usize>, is_bold: bool) -> usize {
        if is_ignorable(letter) {
            return current.unwrap_or(self.plain);
        }
        let covers = |index: usize| self.fonts.get(index).is_some_and(|font| font.face.covers(letter));
        if let Some(current) = current.filter(|current| !letter.is_alphanumeric() && covers(*current)) {
            return current;
        }
        if let Some(choice) = self.choices.get(&(is_bold, letter)) {
            return *choice;
        }
        let bold = self.bold.filter(|bold| is_bold && covers(*bold));
        let first = || (0..self.fonts.len()).find(|index| Some(*index) != self.bold && covers(*index));
        let choice = bold.or_else(first).unwrap_or(self.plain);
        self.choices.insert((is_bold, letter), choice);
        choice
    }

    fn shape(&mut self, index: usize, is_rtl: bool, text: String) -> Rc<[Cluster]> {
        let key = (index, is_rtl, text);
        if let Some(shaped) = self.shaped.get(&key) {
            return Rc::clone(shaped);
        }
        let clusters: Rc<[Cluster]> = self.fonts.get_mut(index).map(|font| shaped(font, is_rtl, &key.2)).unwrap_or_default().into();
        self.shaped.insert(key, Rc::clone(&clusters));
        clusters
    }
}

fn shaped(font: &mut Font<'_>, is_rtl: bool, text: &str) -> Vec<Cluster> {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.set_direction(if is_rtl { Direction::RightToLeft } else { Direction::LeftToRight });
    buffer.guess_segment_properties();
    let output = rustybuzz::shape(&font.shaper, &[], buffer);
    let mut starts: Vec<usize> = output.glyph_infos().iter().map(|glyph| at(glyph.cluster)).collect();
    starts.sort_unstable();
    starts.dedup();

    let mut clusters: Vec<(usize, Vec<(u16, rustybuzz::GlyphPosition)>)> = Vec::new();
    for (info, position) in output.glyph_infos().iter().zip(output.glyph_positions()) {
        let glyph = (u16::try_from(info.glyph_id).unwrap_or_default(), *position);
        match clusters.last_mut() {
            Some((start, glyphs)) if *start == at(info.cluster) => glyphs.push(glyph),
            _ => clusters.push((at(info.cluster), vec![glyph])),
        }
    }
    let cluster = |(start, glyphs): (usize, Vec<(u16, rustybuzz::GlyphPosition)>)| {
        let next = starts.get(starts.partition_point(|known| *known <= start)).copied().unwrap_or(text.len());
        let text = part_of(text, &(start..next)).to_owned();
        // The text is that of the one glyph that moves on; the dots and marks on it add none. Where several do, none alone is the text.
        let moves: Vec<usize> =
            (0..glyphs.len()).filter(|index| glyphs.get(*index).is_some_and(|(_, position)| position.x_advance != 0)).collect();
        let speaker = match *moves {
            [] => Some(0),
            [only] => Some(only),
            _ => None,
        };
        let glyphs = glyphs
            .iter()
            .enumerate()
            .map(|(index, (glyph, position))| placed(font, *glyph, position, if Some(index) == speaker { &text } else { "" }));
        let glyphs = glyphs.collect();
        let text = if speaker.is_some() { None } else { Some(text) };
        Cluster { text, glyphs }
    };
    clusters.into_iter().map(cluster).collect()
}

fn placed(font: &mut Font<'_>, glyph: u16, position: &rustybuzz::GlyphPosition, text: &str) -> Glyph {
    let width = font.shaper.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or_default();
    Glyph {
        code: font.code(glyph, text),
        width: font.thousandths(i32::from(width)),
        advance: font.thousandths(position.x_advance),
        x_offset: font.thousandths(position.x_offset),
        y_offset: font.thousandths(position.y_offset),
    }
}

fn at(cluster: u32) -> usize {
    usize::try_from(cluster).unwrap_or(usize::MAX)
}

fn part_of<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    text.get(range.clone()).unwrap_or_default()
}

/// The text divided where a line may be broken: behind spaces and hyphens, and between the letters of scripts that write without spaces.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, letter) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, letter)) && at > start {
            pieces.push(start..at);
            start = at;
        }
        before = Some(letter);
    }
    if start < text.len() {
        pieces.push(start..text.len());
    }
    pieces
}

fn may_break(before: char, after: char) -> bool {
    let is_space = |letter: char| letter == ' ' || letter == '\u{3000}' || letter == '\u{200b}';
    if is_space(after) {
        return false;
    }
    let hyphen = matches!(before, '-' | '\u{2010}' | '\u{2013}' | '\u{2014}' | '/') && after.is_alphabetic();
    let dense = (is_ideographic(before) || is_ideographic(after)) && !NOT_FIRST.contains(after) && !NOT_LAST.contains(before);
    is_space(before) || hyphen || dense
}

/// Closing marks and small kana do not begin a line, opening marks do not end one.
const NOT_FIRST: &str =
    "、。，．・：；？！゛゜´ヽヾゝゞ々ー）］｝〕〉》」』】〙〗’”»)]}.,:;?!%ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ\u{a0}\u{202f}";
const NOT_LAST: &str = "（［｛〔〈《「『【〘〖‘“«([{￥$€£\u{a0}\u{202f}";

fn is_ideographic(letter: char) -> bool {
    matches!(letter.script(), Script::Han | Script::Hiragana | Script::Katakana)
        || matches!(letter, '\u{3001}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}')
}

/// Whether a line may begin with it where there is no better place: not with a mark that sits on the letter before.
fn is_base(letter: char) -> bool {
    !is_ignorable(letter) && letter.script() != Script::Inherited && letter.is_alphanumeric() && !is_dependent(letter)
}

/// Vowel signs and marks of the scripts that attach them, by their places in the Indic and South East Asian blocks.
fn is_dependent(letter: char) -> bool {
    let code = u32::from(letter);
    match code {
        // The Indic blocks are laid out alike, 128 places each.
        0x0900..=0x0dff => matches!(code % 0x80, 0x00..=0x03 | 0x3a..=0x4f | 0x51..=0x57 | 0x62..=0x63),
        0x0e31..=0x0e3a | 0x0e47..=0x0e4e | 0x0eb1..=0x0ebc | 0x0ec8..=0x0ece | 0x102b..=0x103e | 0x17b4..=0x17d3 => true,
        _ => false,
    }
}

/// Joiners, directional marks, variation selectors: they say something about their neighbours and show nothing.
fn is_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
