//! The tax rates of an organization.

use serde_json::json;

use super::store;
use super::tax::NamedTax;
use crate::kernel::decision::Decision;
use crate::kernel::ids::Moment;
use crate::kernel::problem::Problem;

/// Rates on one line: a federal, a state, a county and a city one, and some more.
pub const RATES_MAX: usize = 10;
const NAME_LENGTH_MAX: usize = 100;
/// In percent; the same limit as in `rating`.
const RATE_MAX: i128 = 1_000;

/// Replaces the rates; nothing where they are equal.
pub fn set(before: &[NamedTax], wanted: &[NamedTax], moment: Moment<'_>) -> Result<Decision, Problem> {
    check(wanted)?;
    if before == wanted {
        return Ok(Decision::new());
    }
    Ok(Decision::new().write(store::put(wanted, moment.now)).audit("taxes.set", "taxes", Some(json!(before)), Some(json!(wanted))))
}

fn check(wanted: &[NamedTax]) -> Result<(), Problem> {
    if wanted.len() > RATES_MAX {
        return Err(Problem::invalid("/rates", "invalid_value", format!("Send at most {RATES_MAX} rates.")));
    }
    for (index, tax) in wanted.iter().enumerate() {
        let name = tax.name.trim();
        if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX {
            let detail = format!("Send a name of 1 to {NAME_LENGTH_MAX} characters. It is printed on invoices.");
            return Err(Problem::invalid(format!("/rates/{index}/name"), "invalid_value", detail));
        }
        let most = RATE_MAX.saturating_mul(rating::Decimal::ONE.trillionths());
        if tax.rate.rate.is_negative() || tax.rate.rate.trillionths() > most {
            return Err(Problem::invalid(
                format!("/rates/{index}/rate"),
                "invalid_value",
                format!("Send a rate from 0 to {RATE_MAX} percent."),
            ));
        }
        if wanted.iter().take(index).any(|other| other.name == tax.name) {
            return Err(Problem::invalid(format!("/rates/{index}/name"), "invalid_value", "Send each name once."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Fixed;
    use crate::kernel::time::Timestamp;
    use rating::TaxRate;

    fn tax(name: &str, rate: &str) -> NamedTax {
        NamedTax { name: name.into(), rate: TaxRate { rate: rate.parse().unwrap(), inclusive: false } }
    }

    #[test]
    fn rates_are_few_named_and_in_range() {
        let moment = Moment { now: Timestamp::from_millis(0), entropy: &Fixed };
        let pointer = |wanted: &[NamedTax]| set(&[], wanted, moment).err().map(|problem| problem.errors[0].pointer.clone());
        assert_eq!(pointer(&[tax("VAT", "20"), tax("City", "1000")]), None);
        assert_eq!(pointer(&[tax("", "20")]).as_deref(), Some("/rates/0/name"));
        assert_eq!(pointer(&[tax("VAT", "20"), tax("VAT", "10")]).as_deref(), Some("/rates/1/name"));
        assert_eq!(pointer(&[tax("VAT", "-1")]).as_deref(), Some("/rates/0/rate"));
        assert_eq!(pointer(&[tax("VAT", "1000.1")]).as_deref(), Some("/rates/0/rate"));
        let many: Vec<_> = (0..11).map(|number| tax(&format!("T{number}"), "1")).collect();
        assert_eq!(pointer(&many).as_deref(), Some("/rates"));
        assert_eq!(set(&many[..2], &many[..2], moment), Ok(Decision::new()), "nothing to do");
    }
}
