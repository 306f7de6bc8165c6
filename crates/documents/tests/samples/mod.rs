//! Documents to print, and the fonts of the build.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use documents::{Adjustment, Catalog, Document, Fonts, Kind, Line, Logo, Party, Span, Status, Tax, pdf};
use rating::{Currency, Money, Tz};

pub const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 56 56"><title>Northwind</title>
<rect x="2" y="4" width="48" height="48" rx="12" fill="#1f5fbf"/><path d="M13 40V17l26 22V16" fill="none" stroke="#fff" stroke-width="5"/>
<circle cx="39" cy="15" r="3.5" fill="#ffc23d"/></svg>"##;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/fonts")
}

pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(read_catalog);
    &CATALOG
}

fn read_catalog() -> Catalog {
    let index = fs::read_to_string(folder().join("index.json")).expect("assets/fonts: run `npm run setup`");
    Catalog::parse(&index).expect("an index")
}

/// Prints with the fonts that the document needs, and no others.
pub fn printed(document: &Document) -> Vec<u8> {
    let catalog = catalog();
    let load = |name: &str| (name.to_owned(), Arc::from(fs::read(folder().join(name)).expect("a font")));
    let files: Vec<(String, Arc<[u8]>)> = catalog.needed(document).into_iter().map(load).collect();
    pdf(document, &Fonts::new(catalog, files)).expect("a PDF")
}

pub fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub fn span(start: &str, end: &str) -> Span {
    Span { start: start.parse().expect("an instant"), end: end.parse().expect("an instant") }
}

pub fn line(description: &str, quantity: &str, unit_price: &str, minor: i64) -> Line {
    Line {
        description: description.to_owned(),
        period: Some(span("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")),
        quantity: Some(quantity.parse().expect("a quantity")),
        unit_price: Some(unit_price.parse().expect("a price")),
        discount: None,
        tax: Some("19 %".into()),
        amount: usd(minor),
    }
}

/// What most invoices look like.
pub fn invoice() -> Document {
    Document {
        kind: Kind::Invoice,
        status: Status::Open,
        number: Some("INV-000042".into()),
        reference: None,
        locale: "en".into(),
        time_zone: Tz::UTC,
        issued_at: "2026-11-01T00:05:00Z".parse().expect("an instant"),
        due_at: Some("2026-11-15T00:00:00Z".parse().expect("an instant")),
        period: Some(span("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
        seller: Party {
            name: "Northwind Software GmbH".into(),
            address: vec!["Kastanienallee 12".into(), "10435 Berlin".into(), "Germany".into()],
            tax_id: Some("DE 811 907 980".into()),
            email: Some("billing@northwind.example".into()),
            contact: vec!["northwind.example".into()],
        },
        logo: Some(Logo::Svg(LOGO.into())),
        customer: Party {
            name: "Żółw & Çelik Συνεργάτες".into(),
            address: vec!["ul. Długa 5/7".into(), "00-238 Warszawa".into(), "Poland".into()],
            tax_id: Some("PL 525 244 57 67".into()),
            email: Some("faktury@zolw.example".into()),
            contact: Vec::new(),
        },
        currency: Currency::USD,
        lines: vec![
            Line { period: Some(span("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")), ..line("Growth plan", "1", "199", 19_900) },
            Line { discount: Some(usd(2_000)), ..line("Seats", "8", "25", 18_000) },
            line("API calls, above 100,000 included", "1284500", "0.0004", 51_380),
            line("Storage", "82.5", "0.12", 990),
        ],
        subtotal: usd(90_270),
        adjustments: vec![Adjustment { label: "Launch discount, 10 %".into(), amount: usd(-9_027) }],
        taxes: vec![Tax { label: "VAT 19 %".into(), amount: usd(15_436), is_included: false }],
        total: usd(96_679),
        carried: usd(0),
        credits_applied: usd(5_000),
        amount_paid: usd(0),
        credited: usd(0),
        amount_due: usd(91_679),
        payment_instructions: Some(
            "Please transfer the amount to IBAN DE02 1203 0000 0000 2020 51, BIC BYLADEM1001.\nState the invoice number INV-000042.".into(),
        ),
        notes: Some("Thank you for building with us.".into()),
        footer: Some("Northwind Software GmbH\nAmtsgericht Charlottenburg HRB 123456\nManaging directors: Ada Weiß, Émile Durand".into()),
    }
}

/// Names in the scripts of the world, each with what it is.
pub const NAMES: [(&str, &str); 24] = [
    ("Latin", "Åsa Łukasiewicz-Đặng"),
    ("Greek", "Ελληνική Εταιρεία Λογισμικού"),
    ("Cyrillic", "ТОВ «Їжак і Ґава»"),
    ("Arabic", "شركة المثال للبرمجيات"),
    ("Arabic with vowels", "مُحَمَّد"),
    ("Persian", "شرکت نرم‌افزاری نمونه"),
    ("Hebrew", "חברת הדוגמה בע״מ"),
    ("Devanagari", "हिन्दी क्षेत्र प्रौद्योगिकी"),
    ("Bengali", "বাংলা সফটওয়্যার"),
    ("Tamil", "தமிழ் மென்பொருள்"),
    ("Telugu", "తెలుగు సాఫ్ట్‌వేర్"),
    ("Gujarati", "ગુજરાતી કંપની"),
    ("Gurmukhi", "ਪੰਜਾਬੀ ਕੰਪਨੀ"),
    ("Kannada", "ಕನ್ನಡ ಸಂಸ್ಥೆ"),
    ("Malayalam", "മലയാളം കമ്പനി"),
    ("Sinhala", "සිංහල සමාගම"),
    ("Thai", "บริษัท ตัวอย่าง จำกัด"),
    ("Khmer", "ក្រុមហ៊ុនឧទាហរណ៍"),
    ("Georgian", "ქართული კომპანია"),
    ("Armenian", "Հայկական ընկերություն"),
    ("Ethiopic", "የኢትዮጵያ ኩባንያ"),
    ("Japanese", "株式会社さくらソフトウェア"),
    ("Chinese", "上海示例科技有限公司"),
    ("Korean", "주식회사 예시 소프트웨어"),
];

/// Every name as a customer's line.
pub fn names() -> Document {
    let line = |(script, name): &(&str, &str)| Line { description: (*name).into(), tax: Some((*script).into()), ..line("", "1", "1", 100) };
    Document {
        customer: Party {
            name: "שלום Acme (דוגמה) 42".into(),
            address: vec!["東京都渋谷区桜丘町26-1".into(), "شارع ٢٦ يوليو، القاهرة".into()],
            ..Party::default()
        },
        lines: NAMES.iter().map(line).chain([line(&("Emoji", "Rocket 🚀 & Söhne ☎ ★ 👩‍💻"))]).collect(),
        ..invoice()
    }
}

/// More lines than a page holds.
pub fn long(lines: usize) -> Document {
    let numbered = |number: usize| {
        line(&format!("Item {number}: metered usage of one of very many things, described at some length"), "3", "1.5", 450)
    };
    Document { lines: (1..=lines).map(numbered).collect(), ..invoice() }
}

/// What there is to look at.
#[allow(dead_code, reason = "for the example")]
pub fn showcase() -> Vec<(&'static str, Document)> {
    vec![
        ("invoice", invoice()),
        ("german", Document { locale: "de".into(), status: Status::Draft, number: None, ..invoice() }),
        ("japanese", Document { locale: "ja".into(), status: Status::Overdue, currency: Currency::JPY, logo: None, ..in_yen() }),
        ("names", names()),
        ("long", long(60)),
        (
            "credit",
            Document {
                kind: Kind::CreditNote,
                reference: Some("INV-000042".into()),
                number: Some("CN-000007".into()),
                due_at: None,
                locale: "fr".into(),
                ..invoice()
            },
        ),
    ]
}

#[allow(dead_code, reason = "for the example")]
fn in_yen() -> Document {
    let yen = |minor| Money::new(minor, Currency::JPY);
    let base = invoice();
    Document {
        seller: Party {
            name: "株式会社ノースウィンド".into(),
            address: vec!["〒150-0031 東京都渋谷区桜丘町26番1号".into()],
            tax_id: Some("T1234567890123".into()),
            ..Party::default()
        },
        customer: Party {
            name: "有限会社さくら商店 御中".into(),
            address: vec!["大阪府大阪市北区梅田三丁目1番3号".into()],
            ..Party::default()
        },
        lines: vec![Line {
            tax: Some("10 %".into()), amount: yen(1_234_500), ..line("グロースプラン（月額）", "1", "1234500", 0)
        }],
        subtotal: yen(1_234_500),
        adjustments: Vec::new(),
        taxes: vec![Tax { label: "消費税 10 %".into(), amount: yen(123_450), is_included: false }],
        total: yen(1_357_950),
        carried: yen(0),
        credits_applied: yen(0),
        amount_paid: yen(0),
        credited: yen(0),
        amount_due: yen(1_357_950),
        payment_instructions: Some("下記口座へお振込みください。みずほ銀行 渋谷支店 普通 1234567".into()),
        notes: None,
        footer: None,
        ..base
    }
}
