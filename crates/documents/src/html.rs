//! The document as one page of HTML that prints: no script, no file besides it.

use std::sync::LazyLock;

use base64ct::{Base64, Encoding};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::document::{Document, Logo};
use crate::error::DocumentError;
use crate::sheet::Sheet;

const TEMPLATE: &str = "invoice.html";

/// Every value in it is escaped.
static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(TEMPLATE, include_str!("invoice.html"))?;
    Ok(environment)
});

/// The document as HTML. It holds its style and its logo, loads nothing, and prints on A4 with the table's head on every page.
///
/// # Errors
/// The template does not render, which no document causes.
pub fn html(document: &Document) -> Result<String, DocumentError> {
    let broken = |error: &minijinja::Error| DocumentError::Template(error.to_string());
    let template = TEMPLATES.as_ref().map_err(broken)?.get_template(TEMPLATE).map_err(|error| broken(&error))?;
    let logo = document.logo.as_ref().map(data_uri);
    template.render(context! { sheet => Value::from(Serde(&Sheet::of(document))), logo }).map_err(|error| broken(&error))
}

/// A browser that shows an SVG as an image runs nothing in it and fetches nothing for it.
fn data_uri(logo: &Logo) -> String {
    let (kind, bytes) = match logo {
        Logo::Png(bytes) => ("png", bytes.as_slice()),
        Logo::Svg(text) => ("svg+xml", text.as_bytes()),
    };
    format!("data:image/{kind};base64,{}", Base64::encode_string(bytes))
}
