//! From a template and its data to subject, text and HTML. Values are escaped in HTML.

use documents::Locale;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, Value};
use rating::{Currency, Money};

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
    environment.add_filter("money", money);
    let whole = environment.render_named_str("text", source, Value::from(Serde(data))).map_err(broken)?;
    let (subject, text) = whole.split_once('\n').unwrap_or((whole.as_str(), ""));
    let (subject, text) = (subject.trim().to_owned(), text.trim().to_owned() + "\n");
    let lines = |paragraph: &str| paragraph.trim().lines().map(str::to_owned).collect();
    let paragraphs: Vec<Vec<String>> = text.split("\n\n").map(lines).collect();
    let context = minijinja::context! { subject => &subject, paragraphs };
    let html = environment.render_named_str("html", LAYOUT, context).map_err(broken)?;
    Ok(Rendered { subject, text, html })
}

/// An amount in its usual form, `$12.00`, from a decimal and the code of its currency.
fn money(decimal: &str, currency: &str) -> std::result::Result<String, minijinja::Error> {
    let amount = currency.parse::<Currency>().ok().and_then(|currency| Money::from_decimal_str(decimal, currency).ok());
    let unreadable = || minijinja::Error::new(ErrorKind::InvalidOperation, format!("{decimal} {currency} is no amount"));
    amount.map(|amount| Locale::of("en").money(amount)).ok_or_else(unreadable)
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

    /// One value for everything that a template may name.
    fn example() -> serde_json::Value {
        json!({
            "organization": {"$id": "org_1", "name": "Acme"}, "appUrl": "https://app.example", "checklist": ["Verify email"], "day": 3,
            "open": ["Verify email"], "trialEndDate": "2026-01-15", "endsWithTrial": false, "hasPaymentMethod": true,
            "isHard": true, "token": "secret", "expiryDate": "2026-01-15", "metric": "apiCalls", "current": 10, "limit": 10,
            "upgradeUrl": "https://app.example/billing/upgrade", "reason": "Unpaid", "erasureDate": "2026-01-31", "code": "123456",
            "loginUrl": "https://app.example/login", "minutes": 10, "endDate": "2026-12-31", "plan": "team", "isCancelled": false,
            "periodEndDate": "2026-01-31", "isTrial": false, "paymentUrl": "https://app.example/pay",
            "invoice": {"identifier": "INV-7", "total": "12.00", "remaining": "1234.50", "currency": "USD", "dueDate": "2026-01-31"},
        })
    }

    #[test]
    fn subjects_say_what_happened() {
        let expected = [
            ("organization-welcome", "Welcome, Acme"),
            ("onboarding-checkin-day3", "How is it going, Acme?"),
            ("onboarding-checkin-day7", "Can we help you get started, Acme?"),
            ("onboarding-complete", "Acme is ready to use"),
            ("team-invitation", "You have been invited to join Acme"),
            ("trial-ending-soon", "Your trial ends on 2026-01-15"),
            ("quota-exceeded", "Acme has reached its limit of apiCalls"),
            ("organization-suspended", "Acme has been suspended"),
            ("organization-resumed", "Acme has been reactivated"),
            ("organization-cancelled", "Acme has been cancelled"),
            ("organization-cancellation-withdrawn", "Your cancellation was withdrawn"),
            ("ownership-transferred", "The ownership of Acme has been transferred"),
            ("login-code", "123456 is your login code"),
            ("subscription-expiring", "Your subscription ends on 2026-12-31"),
            ("subscription-resumed", "Your subscription has been resumed"),
            ("subscription-ended", "Your subscription has ended"),
            ("invoice-payment-required", "Invoice INV-7 for $12.00"),
            ("payment-overdue", "Invoice INV-7 is overdue"),
        ];
        let subjects = TEMPLATES.map(|(template, _)| (template, render(template, &example()).unwrap().subject));
        assert_eq!(subjects, expected.map(|(template, subject)| (template, subject.to_owned())));
    }

    #[test]
    fn texts_are_in_paragraphs_and_name_amounts_with_their_currency() {
        for (template, _) in TEMPLATES {
            let text = render(template, &example()).unwrap().text;
            assert!(!text.contains("\n\n\n") && !text.contains("  ") && text.ends_with('\n'), "{template}: {text}");
        }
        let overdue = render("payment-overdue", &example()).unwrap().text;
        assert!(overdue.contains("The remaining amount is $1,234.50."), "{overdue}");
        let of = |remaining: &str, currency: &str| {
            let mut data = example();
            data["invoice"] = json!({"identifier": "INV-7", "remaining": remaining, "currency": currency});
            render("payment-overdue", &data).map(|mail| mail.text)
        };
        assert!(of("500", "JPY").unwrap().contains("The remaining amount is ¥500."));
        assert!(of("?", "USD").is_err() && of("1", "dollars").is_err());
    }

    #[test]
    fn one_step_is_no_list_of_steps() {
        let welcome = render("organization-welcome", &example()).unwrap().text;
        assert!(welcome.contains("Complete this step to get started:\n1. Verify email\n"), "{welcome}");
    }

    #[test]
    fn a_missing_value_is_an_error() {
        for (template, _) in TEMPLATES {
            assert!(render(template, &json!({})).is_err(), "{template}");
        }
    }
}
