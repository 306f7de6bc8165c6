//! The file around the pages: catalogue, resources, dates and ids, all from the document.

use chrono::{DateTime, Datelike, Timelike, Utc};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Date, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};

use super::canvas::{HEIGHT, LOGO, WIDTH, font_name};
use super::embed::embed;
use crate::document::Document;
use crate::error::DocumentError;
use crate::logo::{Picture, Pixels};
use crate::sheet::Sheet;
use crate::text::Typesetter;

/// How hard streams are compressed: the last tenth costs more time than it saves bytes.
const COMPRESSION: u8 = 6;

/// The next free number of an object.
pub fn next(ids: &mut Ref) -> Ref {
    ids.bump()
}

pub fn compressed(data: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(data, COMPRESSION)
}

/// The whole file.
pub fn assemble(
    document: &Document,
    sheet: &Sheet,
    picture: Option<&Picture>,
    pages: &[Vec<u8>],
    typesetter: &Typesetter<'_>,
) -> Result<Vec<u8>, DocumentError> {
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut ids = Ref::new(1);
    let [catalog, tree, info] = std::array::from_fn(|_| next(&mut ids));
    let mut fonts = Vec::new();
    for (index, font) in typesetter.fonts.iter().enumerate().filter(|(_, font)| !font.shown.is_empty()) {
        fonts.push((font_name(index), embed(&mut pdf, font, index, &mut ids)?));
    }
    let logo = match picture {
        Some(Picture::Pixels(pixels)) => Some(image(&mut pdf, pixels, &mut ids)),
        Some(Picture::Drawing(_)) | None => None,
    };
    let numbered: Vec<(Ref, Ref)> = pages.iter().map(|_| (next(&mut ids), next(&mut ids))).collect();
    for ((page, content), data) in numbered.iter().zip(pages) {
        pdf.stream(*content, &compressed(data)).filter(Filter::FlateDecode);
        let mut page = pdf.page(*page);
        page.parent(tree).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(*content);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        fonts.iter().for_each(|(name, font)| {
            named.pair(Name(name.as_bytes()), *font);
        });
        named.finish();
        if let Some(logo) = logo {
            resources.x_objects().pair(Name(LOGO), logo);
        }
    }
    let count = i32::try_from(numbered.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).count(count).kids(numbered.iter().map(|(page, _)| *page));
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr(sheet.language));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    let issued = date(document.issued_at);
    let mut about = pdf.document_info(info);
    about.title(TextStr(&sheet.title)).author(TextStr(&sheet.seller.name)).creation_date(issued).modified_date(issued);
    about.finish();
    let id = fingerprint(&sheet.title, pages);
    pdf.set_file_id((id.clone(), id));
    Ok(pdf.finish())
}

/// An image, and what shines through it.
fn image(pdf: &mut Pdf, pixels: &Pixels, ids: &mut Ref) -> Ref {
    let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
    let (colours, opacity) = (next(ids), next(ids));
    let data = compressed(&pixels.colours);
    let mut image = pdf.image_xobject(colours, &data);
    image.width(side(pixels.width)).height(side(pixels.height)).bits_per_component(8).filter(Filter::FlateDecode);
    image.color_space().device_rgb();
    if pixels.opacity.is_some() {
        image.s_mask(opacity);
    }
    image.finish();
    if let Some(bytes) = &pixels.opacity {
        let data = compressed(bytes);
        let mut mask = pdf.image_xobject(opacity, &data);
        mask.width(side(pixels.width)).height(side(pixels.height)).bits_per_component(8).filter(Filter::FlateDecode);
        mask.color_space().device_gray();
    }
    colours
}

fn date(at: DateTime<Utc>) -> Date {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    Date::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// What tells two files apart, from what they show (FNV-1a, 128 bits).
fn fingerprint(title: &str, pages: &[Vec<u8>]) -> Vec<u8> {
    let bytes = title.bytes().chain(pages.iter().flatten().copied());
    let hash = bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    hash.to_be_bytes().to_vec()
}
