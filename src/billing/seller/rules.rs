//! Rules of the seller.

use base64ct::{Base64, Encoding};

use super::party::Seller;
use crate::kernel::organization::is_email;
use crate::kernel::problem::Problem;
use crate::tenancy::organizations::rules::check_address;

const NAME_LENGTH_MAX: usize = 200;
/// A web address, a telephone number or a tax id, in characters.
const LINE_LENGTH_MAX: usize = 200;
/// The footer and the payment instructions, in characters.
const TEXT_LENGTH_MAX: usize = 1_000;
const PREFIX_LENGTH_MAX: usize = 12;
/// The logo is embedded in every invoice and in every response.
pub const LOGO_BYTES_MAX: usize = 48 * 1024;

const PNG: &str = "data:image/png;base64,";
const SVG: &str = "data:image/svg+xml;base64,";

impl Seller {
    /// Refuses the first invalid field.
    pub fn check(&self) -> Result<(), Problem> {
        let name = self.name.as_deref().unwrap_or_default();
        require(is_line(name, NAME_LENGTH_MAX), "/name", format!("Send 1 to {NAME_LENGTH_MAX} characters on one line."))?;
        for (text, pointer) in
            [(&self.legal_name, "/legalName"), (&self.telephone, "/telephone"), (&self.url, "/url"), (&self.tax_id, "/taxId")]
        {
            let detail = format!("Send 1 to {LINE_LENGTH_MAX} characters on one line, or leave it out.");
            require(text.as_ref().is_none_or(|text| is_line(text, LINE_LENGTH_MAX)), pointer, detail)?;
        }
        for (text, pointer) in [(&self.footer, "/footer"), (&self.payment_instructions, "/paymentInstructions")] {
            let fits = |text: &String| !text.trim().is_empty() && text.chars().count() <= TEXT_LENGTH_MAX;
            require(text.as_ref().is_none_or(fits), pointer, format!("Send 1 to {TEXT_LENGTH_MAX} characters, or leave it out."))?;
        }
        let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        require(self.url.as_ref().is_none_or(is_web), "/url", "Send an address that begins with https:// or http://.")?;
        require(self.email.as_deref().is_none_or(is_email), "/email", "Send an email address such as billing@example.com.")?;
        self.address.as_ref().map_or(Ok(()), check_address)?;
        let is_prefix = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.".contains(&byte);
        let prefix = self.invoice_prefix.as_bytes();
        let fits = (1..=PREFIX_LENGTH_MAX).contains(&prefix.len()) && prefix.iter().copied().all(is_prefix);
        require(fits, "/invoicePrefix", format!("Send 1 to {PREFIX_LENGTH_MAX} letters, digits, `-`, `_`, `/` and `.`."))?;
        self.read_logo().map(|_| ())
    }

    /// The logo for printing, if there is one.
    pub fn read_logo(&self) -> Result<Option<documents::Logo>, Problem> {
        self.logo.as_deref().map(read_logo).transpose()
    }

    /// The seller for the audit log: the size of the logo instead of the logo.
    pub fn summary(&self) -> serde_json::Value {
        let mut summary = serde_json::json!(self);
        if let Some(members) = summary.as_object_mut() {
            members.remove("logo");
            members.insert("logoBytes".into(), self.logo.as_ref().map_or(0, String::len).into());
        }
        summary
    }
}

fn read_logo(uri: &str) -> Result<documents::Logo, Problem> {
    let refused = |detail: String| Problem::invalid("/logo", "invalid_logo", detail);
    if uri.len() > LOGO_BYTES_MAX {
        return Err(refused(format!("Send at most {} KiB, or leave it out.", LOGO_BYTES_MAX >> 10)));
    }
    let decoded = |data: &str| Base64::decode_vec(data).map_err(|_| refused("Send the picture in base64 behind the comma.".into()));
    let logo = match (uri.strip_prefix(PNG), uri.strip_prefix(SVG)) {
        (Some(data), _) => documents::Logo::Png(decoded(data)?),
        (None, Some(data)) => {
            let text = String::from_utf8(decoded(data)?).map_err(|_| refused("Send the SVG as UTF-8.".into()))?;
            documents::Logo::Svg(text)
        }
        (None, None) => return Err(refused(format!("Send a data URI that begins with {PNG} or {SVG}."))),
    };
    logo.check().map_err(|error| refused(format!("Send another picture: {error}.")))?;
    Ok(logo)
}

fn is_line(text: &str, length_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= length_max && !text.chars().any(|letter| letter.is_control())
}

fn require(holds: bool, pointer: &str, detail: impl Into<String>) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::invalid(pointer, "invalid_value", detail)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> Seller {
        Seller { name: Some("Northwind".into()), ..Seller::default() }
    }

    fn refused(seller: Seller) -> Option<String> {
        seller.check().err().map(|problem| problem.errors[0].pointer.clone())
    }

    fn svg(inner: &str) -> Option<String> {
        let text = format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>{inner}</svg>");
        Some(format!("{SVG}{}", Base64::encode_string(text.as_bytes())))
    }

    #[test]
    fn a_name_is_enough() {
        assert_eq!(refused(named()), None);
        assert_eq!(refused(Seller::default()), Some("/name".into()));
    }

    #[test]
    fn a_logo_is_a_picture_and_nothing_else() {
        assert_eq!(refused(Seller { logo: svg("<path d='M0 0h9v9z' fill='#15c'/>"), ..named() }), None);
        for inner in [
            "<script>alert(1)</script>",
            "<image href='https://example.com/x.png'/>",
            "<a href='https://example.com'/>",
            "<g onload='x()'><text>A</text></g>",
        ] {
            assert_eq!(refused(Seller { logo: svg(inner), ..named() }), Some("/logo".into()), "{inner}");
        }
        let too_long = svg(&" ".repeat(LOGO_BYTES_MAX));
        for logo in [Some("https://example.com/logo.png".into()), Some(format!("{PNG}AAAA")), Some(format!("{PNG}%")), too_long] {
            assert_eq!(refused(Seller { logo, ..named() }), Some("/logo".into()));
        }
    }

    #[test]
    fn a_prefix_has_its_letters() {
        let prefixed = |prefix: &str| refused(Seller { invoice_prefix: prefix.into(), ..named() });
        for prefix in ["A", "INV-", "2026/", "ABCDEFGHIJKL"] {
            assert_eq!(prefixed(prefix), None, "{prefix}");
        }
        for prefix in ["", "ABCDEFGHIJKLM", "INV ", "Ü", "a\n", "<b>"] {
            assert_eq!(prefixed(prefix), Some("/invoicePrefix".into()), "{prefix}");
        }
    }

    #[test]
    fn the_audit_log_keeps_no_picture() {
        let seller = Seller { logo: svg("<path d='M0 0h9v9z'/>"), ..named() };
        let summary = seller.summary();
        assert!(summary.get("logo").is_none() && summary["logoBytes"].as_u64() > Some(40), "{summary}");
    }
}
