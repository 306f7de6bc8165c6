//! Fonts in the file: only the glyphs that are shown, with the text that each stands for.

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use rustybuzz::ttf_parser;
use subsetter::GlyphRemapper;

use super::file::{compressed, next};
use crate::error::DocumentError;
use crate::text::Font;

const SYSTEM: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
/// Of a stem, where a font does not say: of a regular weight.
const STEM: f32 = 80.0;

/// Writes the font and answers where it is.
pub fn embed(pdf: &mut Pdf, font: &Font<'_>, index: usize, ids: &mut Ref) -> Result<Ref, DocumentError> {
    let mut remapper = GlyphRemapper::new();
    let glyphs: Vec<u16> = font.shown.iter().map(|(glyph, _)| remapper.remap(*glyph)).collect();
    let unusable = |_| DocumentError::Font(font.face.name().to_owned());
    let subset = subsetter::subset(font.face.bytes, 0, &remapper).map_err(unusable)?;

    let [type0, cid, descriptor, cmap, map, data] = std::array::from_fn(|_| next(ids));
    let name = base_font(font, index);
    pdf.type0_font(type0).base_font(Name(name.as_bytes())).encoding_predefined(Name(b"Identity-H")).descendant_font(cid).to_unicode(cmap);

    let mut cid_font = pdf.cid_font(cid);
    cid_font.subtype(CidFontType::Type2).base_font(Name(name.as_bytes())).system_info(SYSTEM);
    cid_font.font_descriptor(descriptor).default_width(0.0).cid_to_gid_map_stream(map);
    cid_font.widths().consecutive(1, font.shown.iter().map(|(glyph, _)| width(font, *glyph)));
    cid_font.finish();
    describe(pdf, font, &name, descriptor, data);

    let mut texts = UnicodeCmap::new(Name(b"Tenantry-UCS"), SYSTEM);
    for (code, (_, text)) in (1_u16..).zip(&font.shown).filter(|(_, (_, text))| !text.is_empty()) {
        texts.pair_with_multiple(code, text.chars());
    }
    let texts = compressed(&texts.finish().into_vec());
    pdf.cmap(cmap, &texts).filter(Filter::FlateDecode);

    // Code 0 is nobody's; each code after it names its glyph in the subset.
    let table: Vec<u8> = std::iter::once(0).chain(glyphs).flat_map(u16::to_be_bytes).collect();
    pdf.stream(map, &compressed(&table)).filter(Filter::FlateDecode);
    let length = i32::try_from(subset.len()).unwrap_or(i32::MAX);
    pdf.stream(data, &compressed(&subset)).filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
    Ok(type0)
}

fn width(font: &Font<'_>, glyph: u16) -> f32 {
    font.thousandths(i32::from(font.shaper.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or_default()))
}

fn describe(pdf: &mut Pdf, font: &Font<'_>, name: &str, descriptor: Ref, data: Ref) {
    let metric = |units: i16| font.thousandths(i32::from(units));
    let bounds = font.shaper.global_bounding_box();
    let cap_height = font.shaper.capital_height().unwrap_or_else(|| font.shaper.ascender());
    pdf.font_descriptor(descriptor)
        .name(Name(name.as_bytes()))
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(metric(bounds.x_min), metric(bounds.y_min), metric(bounds.x_max), metric(bounds.y_max)))
        .italic_angle(0.0)
        .ascent(metric(font.shaper.ascender()))
        .descent(metric(font.shaper.descender()))
        .cap_height(metric(cap_height))
        .stem_v(STEM)
        .font_file2(data);
}

/// A subset is named with six letters of its own in front.
fn base_font(font: &Font<'_>, index: usize) -> String {
    let mut rest = index;
    let letters: String = (0..6)
        .map(|_| {
            let letter = u8::try_from(rest % 26).unwrap_or_default();
            rest /= 26;
            char::from(b'A'.saturating_add(letter))
        })
        .collect();
    let stem = font.face.name().trim_end_matches(".ttf");
    format!("{letters}+Noto-{stem}")
}
