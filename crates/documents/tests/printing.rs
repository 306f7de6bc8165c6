//! What is printed, read back from the bytes that were printed.

mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use documents::{Adjustment, Document, DocumentError, Fonts, Kind, LINES_MAX, Line, Locale, Logo, Party, Status, html, pdf};
use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document as File, Object, ObjectId};
use proptest::prelude::*;
use rating::{Currency, Money, Tz};
use samples::{NAMES, catalog, invoice, line, long, names, printed, usd};

/// The text of each page as a reader copies it, a printed line each: by the fonts' own tables of what each code stands for.
fn pages(bytes: &[u8]) -> Vec<String> {
    let file = File::load_mem(bytes).expect("a PDF");
    file.get_pages().values().map(|page| page_text(&file, *page)).collect()
}

fn page_text(file: &File, page: ObjectId) -> String {
    let fonts: BTreeMap<Vec<u8>, BTreeMap<u16, String>> =
        file.get_page_fonts(page).unwrap().into_iter().map(|(name, font)| (name, texts_of(file, font))).collect();
    let (mut text, mut font, mut is_replaced) = (String::new(), Vec::new(), false);
    let content = Content::decode(&file.get_page_content(page).unwrap()).expect("content");
    for Operation { operator, operands } in content.operations {
        match operator.as_str() {
            "BT" => text.push('\n'),
            "Tf" => font = operands[0].as_name().unwrap().to_vec(),
            "BDC" => {
                let actual = operands[1].as_dict().unwrap().get(b"ActualText").unwrap().as_str().unwrap();
                let units: Vec<u16> = actual[2..].chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                text.push_str(&String::from_utf16(&units).unwrap());
                is_replaced = true;
            }
            "EMC" => is_replaced = false,
            "TJ" if !is_replaced => {
                let codes = operands[0].as_array().unwrap().iter().filter_map(|item| item.as_str().ok());
                for code in codes.flat_map(|bytes| bytes.chunks_exact(2)) {
                    text.push_str(fonts[&font].get(&u16::from_be_bytes([code[0], code[1]])).map_or("", String::as_str));
                }
            }
            _ => {}
        }
    }
    text
}

/// `<0001> <0041>` in a font's ToUnicode table.
fn texts_of(file: &File, font: &Dictionary) -> BTreeMap<u16, String> {
    let id = font.get(b"ToUnicode").unwrap().as_reference().unwrap();
    let table = file.get_object(id).unwrap().as_stream().unwrap().decompressed_content().unwrap();
    let table = String::from_utf8(table).unwrap();
    let pairs = table.lines().filter_map(|line| line.strip_prefix('<')?.strip_suffix('>')?.split_once("> <"));
    let number = |hex: &str| u16::from_str_radix(hex, 16).unwrap();
    pairs
        .filter(|(code, text)| (code.len(), text.len() % 4) == (4, 0))
        .map(|(code, text)| {
            let units: Vec<u16> = (0..text.len()).step_by(4).map(|at| number(&text[at..at + 4])).collect();
            (number(code), String::from_utf16(&units).unwrap())
        })
        .collect()
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[test]
fn the_same_document_is_the_same_bytes() {
    for document in [invoice(), names(), long(120)] {
        assert_eq!(printed(&document), printed(&document.clone()));
        assert_eq!(html(&document), html(&document.clone()));
    }
    assert_ne!(printed(&invoice()), printed(&Document { number: Some("INV-000043".into()), ..invoice() }));
}

#[test]
fn the_order_in_which_fonts_were_loaded_changes_nothing() {
    let (catalog, document) = (catalog(), names());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/fonts/");
    let load = |name: &str| (name.to_owned(), Arc::<[u8]>::from(std::fs::read(format!("{folder}{name}")).unwrap()));
    let mut files: Vec<_> = catalog.needed(&document).into_iter().map(load).collect();
    let first = pdf(&document, &Fonts::new(catalog, files.clone())).unwrap();
    files.reverse();
    assert_eq!(first, pdf(&document, &Fonts::new(catalog, files)).unwrap());
}

#[test]
fn every_script_has_a_font_and_no_name_shows_the_box_of_an_unknown_letter() {
    let catalog = catalog();
    for (script, name) in NAMES {
        let document = Document { customer: Party { name: name.into(), ..Party::default() }, ..invoice() };
        let known: BTreeSet<&str> = catalog.needed(&document).into_iter().collect();
        assert!(!shows_box(&printed(&document)), "{script}: {name} by {known:?}");
    }
    let unknown = Document { customer: Party { name: "\u{10ffff}".into(), ..Party::default() }, ..invoice() };
    assert!(shows_box(&printed(&unknown)), "a letter that no font has is a box, and this test would see one");
}

/// Whether a code of any font shows glyph 0.
fn shows_box(bytes: &[u8]) -> bool {
    let file = File::load_mem(bytes).unwrap();
    let maps = file.objects.values().filter_map(|object| object.as_dict().ok()?.get(b"CIDToGIDMap").ok()?.as_reference().ok());
    maps.filter_map(|map| file.get_object(map).ok()?.as_stream().ok()?.decompressed_content().ok())
        .any(|map| map.chunks_exact(2).skip(1).any(|glyph| glyph == [0, 0]))
}

#[test]
fn names_are_copied_as_they_were_written() {
    let text = without_spaces(&pages(&printed(&names())).join("\n"));
    // Written from left to right, and each glyph a letter: they come back as they are. The others are turned around or in pieces.
    for script in ["Latin", "Greek", "Cyrillic", "Georgian", "Armenian", "Ethiopic", "Japanese", "Chinese", "Korean"] {
        let (_, name) = NAMES.iter().find(|(known, _)| *known == script).unwrap();
        assert!(text.contains(&without_spaces(name)), "{script}: {name} in {text}");
    }
    let hebrew: String = "הדוגמה".chars().rev().collect();
    assert!(text.contains(&hebrew), "Hebrew stands from right to left: {text}");
}

#[test]
fn both_forms_show_the_amounts_they_were_given() {
    let document = invoice();
    let printed = without_spaces(&pages(&printed(&document)).join("\n"));
    let page = html(&document).unwrap();
    for amount in ["$902.70", "−$90.27", "$154.36", "$966.79", "−$50.00", "$916.79", "$199.00", "$0.0004", "1,284,500", "82.5"] {
        assert!(printed.contains(amount), "{amount} in {printed}");
        assert!(page.contains(amount), "{amount} in {page}");
    }
}

#[test]
fn a_long_invoice_has_every_line_once_and_a_head_on_every_page() {
    let pages = pages(&printed(&long(300)));
    assert!(pages.len() > 10, "{} pages", pages.len());
    let count = pages.len();
    for (number, page) in (1..).zip(&pages) {
        assert!(page.contains(&format!("Page {number} of {count}")), "{page}");
        if page.contains("Item ") {
            assert!(page.contains("Description") && page.contains("Amount (USD)"), "{page}");
        }
    }
    let all = pages.join("\n");
    for number in 1..=300 {
        assert_eq!(all.matches(&format!("Item {number}:")).count(), 1, "item {number}");
    }
}

#[test]
fn what_nobody_reads_is_refused() {
    let document = Document { lines: vec![line("Same", "1", "1", 100); LINES_MAX + 1], ..invoice() };
    let catalog = catalog();
    let refused = pdf(&document, &Fonts::new(catalog, []));
    assert_eq!(refused, Err(DocumentError::TooLong { lines: LINES_MAX + 1, max: LINES_MAX }));
    assert_eq!(pdf(&invoice(), &Fonts::new(catalog, [])), Err(DocumentError::NoFonts));
    let broken: Arc<[u8]> = Arc::from(*b"not a font");
    assert_eq!(pdf(&invoice(), &Fonts::new(catalog, [("sans.ttf".into(), broken)])), Err(DocumentError::Font("sans.ttf".into())));
}

#[test]
fn html_holds_nothing_that_came_from_outside_as_markup() {
    let evil = "<script>alert(1)</script>\"'&";
    let document = Document {
        customer: Party {
            name: evil.into(),
            address: vec![evil.into()],
            tax_id: Some(evil.into()),
            email: Some(evil.into()),
            contact: vec![evil.into()],
        },
        lines: vec![Line { tax: Some(evil.into()), ..line(evil, "1", "1", 100) }],
        adjustments: vec![Adjustment { label: evil.into(), amount: usd(-1) }],
        notes: Some(evil.into()),
        footer: Some(evil.into()),
        number: Some(evil.into()),
        ..invoice()
    };
    let page = html(&document).unwrap();
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("\"'&"), "{page}");
    assert_eq!(page.matches("&lt;script&gt;").count(), 13, "{page}");
}

#[test]
fn html_stands_alone_and_prints() {
    let page = html(&names()).unwrap();
    for part in
        ["<html lang=\"en\">", "@page { size: A4", "display: table-header-group", "break-inside: avoid", "<strong dir=\"auto\">שלום"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("url("), "{page}");
    assert!(page.contains("src=\"data:image/svg+xml;base64,"));
}

#[test]
fn each_language_has_its_words_numbers_and_days() {
    let shown = |locale: &str, parts: &[&str]| {
        let page = html(&Document { locale: locale.into(), ..invoice() }).unwrap();
        for part in parts {
            assert!(page.contains(part), "{locale}: {part} in {page}");
        }
    };
    shown("en", &["Invoice", "$916.79", "1,284,500", "November 15, 2026", "Nov 1, 2026 – Nov 30, 2026"]);
    shown("de-AT", &["Rechnung", "916,79\u{a0}$", "1.284.500", "15. November 2026", "01.11.2026 – 30.11.2026"]);
    shown("fr_CA", &["Facture", "916,79\u{a0}$US", "1\u{202f}284\u{202f}500", "15 novembre 2026", "1er novembre 2026"]);
    shown("es", &["Factura", "916,79\u{a0}US$", "1.284.500", "15 de noviembre de 2026"]);
    shown("ja", &["請求書", "$916.79", "2026年11月15日"]);
    shown("tlh", &["<html lang=\"en\">", "Amount due"]);
    let (spanish, german) = (Locale::of("es"), Locale::of("de"));
    assert_eq!((spanish.money(usd(123_456)), german.money(usd(-123_456))), ("1234,56\u{a0}US$".into(), "−1.234,56\u{a0}$".into()));
    assert_eq!(Locale::of("ja").money(Money::new(1_234, Currency::JPY)), "￥1,234");
    assert_eq!(Locale::of("en").money(Money::new(1_234_567, Currency::parse("KWD").unwrap())), "KWD\u{a0}1,234.567");
    assert_eq!(Locale::of("en").unit_price("0.005".parse().unwrap(), Currency::USD), "$0.005");
}

#[test]
fn days_are_those_of_the_time_zone() {
    let page = |time_zone| html(&Document { time_zone, ..invoice() }).unwrap();
    assert!(page(Tz::UTC).contains("November 1, 2026"));
    assert!(page(Tz::America__New_York).contains("October 31, 2026"), "five past midnight in UTC is the evening before in New York");
}

#[test]
fn a_draft_is_marked_on_every_page_and_asks_for_nothing() {
    let draft = Document { status: Status::Draft, number: None, ..long(60) };
    assert!(pages(&printed(&draft)).iter().all(|page| page.contains("Draft")));
    let page = html(&draft).unwrap();
    assert!(page.contains("class=\"watermark\"") && page.contains("not final") && !page.contains("due November"), "{page}");
    assert!(!html(&invoice()).unwrap().contains("class=\"watermark\""));
}

#[test]
fn a_credit_note_names_its_invoice_and_asks_for_nothing() {
    let note =
        Document { kind: Kind::CreditNote, reference: Some("INV-000042".into()), number: Some("CN-7".into()), due_at: None, ..invoice() };
    let page = html(&note).unwrap();
    assert!(page.contains("Credit note CN-7") && page.contains("For invoice") && !page.contains("Amount due"), "{page}");
}

#[test]
fn a_logo_is_drawn_or_refused_before_anybody_prints_it() {
    let svg = |inner: &str| Logo::Svg(format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 10'>{inner}</svg>")).check();
    assert_eq!(
        svg("<g transform='rotate(30)'><path d='M0 0q1 1 2 0A3 3 0 0 1 5 5z' fill='red' style='stroke:#00f;stroke-width:2'/></g>"),
        Ok(())
    );
    for inner in [
        "<script>alert(1)</script>",
        "<image href='https://example.com/a.png'/>",
        "<text>A</text>",
        "<use href='#a'/>",
        "<foreignObject/>",
        "<rect width='5' height='5' fill='url(#g)'/>",
        "<rect width='5' height='5' filter='url(#f)'/>",
        "<style>rect{fill:red}</style>",
        "<path d='M0 0 L nonsense'/>",
    ] {
        assert!(matches!(svg(inner), Err(DocumentError::Logo(_))), "{inner}");
    }
    for broken in
        ["", "<svg/>", "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg viewBox='0 0 1 1'/>", "<html viewBox='0 0 1 1'/>", "<svg viewBox='0 0 0 1'/>"]
    {
        assert!(Logo::Svg(broken.into()).check().is_err(), "{broken}");
    }
    assert!(Logo::Png(b"no png".to_vec()).check().is_err());
}

#[test]
fn a_png_keeps_what_shines_through() {
    for (colours, bytes, has_mask) in
        [(png::ColorType::Rgba, 4, true), (png::ColorType::Rgb, 3, false), (png::ColorType::GrayscaleAlpha, 2, true)]
    {
        let mut data = Vec::new();
        let mut encoder = png::Encoder::new(&mut data, 4, 4);
        encoder.set_color(colours);
        encoder.write_header().unwrap().write_image_data(&vec![90; 16 * bytes]).unwrap();
        let file = File::load_mem(&printed(&Document { logo: Some(Logo::Png(data)), ..invoice() })).unwrap();
        let is_image = |object: &&Object| {
            object
                .as_stream()
                .is_ok_and(|stream| stream.dict.get(b"Subtype").is_ok_and(|kind| kind.as_name().is_ok_and(|name| name == b"Image")))
        };
        assert_eq!(file.objects.values().filter(is_image).count(), 1 + usize::from(has_mask), "{colours:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever somebody is called, and however long, it is printed: no panic, no endless loop, a file that opens.
    #[test]
    fn any_name_is_printed(name in "\\PC{0,400}", address in "[\\u{0}-\\u{10ffff}]{0,60}", description in "[a-zא-ת -]{0,200}") {
        let document = Document {
            customer: Party { name, address: vec![address], ..Party::default() },
            lines: vec![line(&description, "1", "1", 100)],
            ..invoice()
        };
        let bytes = printed(&document);
        prop_assert!(File::load_mem(&bytes).is_ok());
        prop_assert!(html(&document).is_ok());
    }
}
