//! The journal entries of an invoice: earned and deferred revenue, tax, and the receivable. Pure.

use std::collections::BTreeSet;

use rating::Money;

use super::invoice::{Invoice, is_deferred};
use super::line::Line;
use crate::accounting::ledger::audit::Balance;
use crate::accounting::ledger::entry::{Account, Entry};
use crate::accounting::ledger::rules as ledger;
use crate::accounting::ledger::rules::InvoiceParts;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::time::Timestamp;

/// The invoice got its number: the customer owes it.
pub fn finalized(invoice: &Invoice, moment: Moment<'_>) -> Result<Entry> {
    let net = |deferred: bool| {
        let meant = invoice.lines.iter().filter(|line| is_deferred(line, invoice.created_at) == deferred);
        invoice.money(meant.fold(0_i64, |sum, line| sum.saturating_add(net_minor(line, invoice))))
    };
    let parts = InvoiceParts {
        due: invoice.payment_due(),
        paid_by_credit: invoice.money(invoice.credit_minor),
        credited: invoice.money(invoice.carried_minor),
        revenue: net(false),
        deferred: net(true),
        tax: invoice.money(invoice.tax_minor),
    };
    ledger::invoice_finalized(invoice.id, &parts, moment)
}

/// The invoice is void: reverses the balances that the accounts hold of it.
pub fn voided(invoice: &Invoice, held: &[Balance], moment: Moment<'_>) -> Result<Entry> {
    let held = |account: Account| {
        let balance = held.iter().find(|balance| balance.account == account && balance.amount.currency() == invoice.currency);
        balance.map_or(Money::zero(invoice.currency), |balance| balance.amount)
    };
    let owed = |account: Account| held(account).checked_neg().or_internal();
    let parts = InvoiceParts {
        due: held(Account::Receivable),
        paid_by_credit: held(Account::Credit),
        credited: Money::zero(invoice.currency),
        revenue: owed(Account::Revenue)?,
        deferred: owed(Account::Deferred)?,
        tax: owed(Account::Tax)?,
    };
    ledger::invoice_voided(invoice.id, &parts, moment)
}

/// The instants at which deferred revenue is earned: the ends of the periods charged in advance.
pub fn period_ends(invoice: &Invoice) -> BTreeSet<Timestamp> {
    invoice.lines.iter().filter(|line| is_deferred(line, invoice.created_at)).map(|line| line.period_ends_at).collect()
}

/// The amount of a line after its discount and without any tax.
pub fn net_minor(line: &Line, invoice: &Invoice) -> i64 {
    let inclusive = invoice.taxes.iter().zip(&line.taxes_minor).filter(|(tax, _)| tax.rate.inclusive);
    let inclusive = inclusive.fold(0_i64, |sum, (_, minor)| sum.saturating_add(*minor));
    line.amount_minor.saturating_sub(line.discount_minor).saturating_sub(inclusive)
}
