//! From a template and its data to subject, text and HTML. Values are escaped in HTML.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value};

use crate::kernel::error::{Error, Result};

/// A mail, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// All templates: the first line of each is the subject, the rest the text in paragraphs.
pub const TEMPLATES: [(&str, &str); 18] = [
    ("organization-welcome", include_str!("templates/organization-welcome.txt")),
    ("onboarding-checkin-day3", include_str!("templates/onboarding-checkin-day3.txt")),
    ("onboarding-checkin-day7", include_str!("templates/onboarding-checkin-day7.txt")),
    ("onboarding-complete", include_str!("templates/onboarding-complete.txt")),
    ("team-invitation", include_str!("templates/team-invitation.txt")),
    ("trial-ending-soon", include_str!("templates/trial-ending-soon.txt")),
    ("quota-exceeded", include_str!("templates/quota-exceeded.txt")),
    ("organization-suspended", include_str!("templates/organization-suspended.txt")),
    ("organization-resumed", include_str!("templates/organization-resumed.txt")),
    ("organization-cancelled", include_str!("templates/organization-cancelled.txt")),
    ("organization-cancellation-withdrawn", include_str!("templates/organization-cancellation-withdrawn.txt")),
    ("ownership-transferred", include_str!("templates/ownership-transferred.txt")),
    ("login-code", include_str!("templates/login-code.txt")),
    ("subscription-expiring", include_str!("templates/subscription-expiring.txt")),
    ("subscription-resumed", include_str!("templates/subscription-resumed.txt")),
    ("subscription-ended", include_str!("templates/subscription-ended.txt")),
    ("invoice-payment-required", include_str!("templates/invoice-payment-required.txt")),
    ("payment-overdue", include_str!("templates/payment-overdue.txt")),
];

const LAYOUT: &str = include_str!("templates/layout.html");

/// Renders a template. A field that the data lacks is an error, not a gap in a customer's mail.
pub fn render(template: &str, data: &serde_json::Value) -> Result<Rendered> {
    let source = TEMPLATES.iter().find(|(name, _)| *name == template).map(|(_, source)| *source);
    let source = source.ok_or_else(|| Error::internal(format!("there is no mail template {template}")))?;
    let broken = |error: minijinja::Error| Error::internal(format!("mail template {template}: {error}"));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| if name == "html" { AutoEscape::Html } else { AutoEscape::None });
    let whole = environment.render_named_str("text", source, Value::from(Serde(data))).map_err(broken)?;
    let (subject, text) = whole.split_once('\n').unwrap_or((whole.as_str(), ""));
    let (subject, text) = (subject.trim().to_owned(), text.trim().to_owned() + "\n");
    let lines = |paragraph: &str| paragraph.trim().lines().map(str::to_owned).collect();
    let paragraphs: Vec<Vec<String>> = text.split("\n\n").map(lines).collect();
    let context = minijinja::context! { subject => &subject, paragraphs };
    let html = environment.render_named_str("html", LAYOUT, context).map_err(broken)?;
    Ok(Rendered { subject, text, html })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_escaped_in_html_and_plain_in_text() {
        let data = json!({"organization": {"name": "<b>Tom & Co</b>"}, "appUrl": "https://app.example"});
        let mail = render("onboarding-complete", &data).unwrap();
        assert!(mail.text.contains("<b>Tom & Co</b>"));
        assert!(mail.html.contains("&lt;b&gt;Tom &amp; Co&lt;") && !mail.html.contains("<b>Tom"));
        assert!(!mail.subject.contains('\n'));
    }

    #[test]
    fn a_missing_value_is_an_error() {
        for (template, _) in TEMPLATES {
            assert!(render(template, &json!({})).is_err(), "{template}");
        }
    }
}
