//! The ledger: each organization's money, by double entry.
//!
//! Owns: accounts, entries and their postings, balances, the audit of all of them. Does not own: why money moves (invoices, credits and
//! payments decide that, and call the constructors in [`rules`]), nor when revenue is earned (who calls [`rules::revenue_recognized`]).
//! Words: an *entry* is one money fact, of a *kind* and with a *source* (what it was posted for); its *postings* say what each *account*
//! gains (debit, above zero) or gives (credit, below zero); a *balance* is the sum of an account's postings in one currency.
//! Invariants: the postings of an entry sum to zero, in one currency; a fact is posted once; entries never change; balances are the sums
//! of the postings. Checked by [`entry::Entry::new`], by the database in the batch that posts, on every read, and by the audit.
//!
//! A slice that decides about money posts it with the same decision:
//!
//! ```
//! # use rating::{Currency, Money};
//! # use tenantry::kernel::{decision::Decision, error::Result, ids::{InvoiceId, Moment}};
//! use tenantry::accounting::ledger::rules::{InvoiceParts, invoice_finalized, payment_received};
//! use tenantry::accounting::ledger::store::post;
//!
//! # fn finalize(invoice: InvoiceId, moment: Moment<'_>) -> Result<Decision> {
//! let usd = |minor| Money::new(minor, Currency::USD);
//! // 199 dollars in advance, 25 for usage, 20 % tax, of which 50 are paid by credit.
//! let (due, paid_by_credit, credited) = (usd(21_880), usd(5_000), usd(0));
//! let parts = InvoiceParts { due, paid_by_credit, credited, revenue: usd(2_500), deferred: usd(19_900), tax: usd(4_480) };
//! let finalized = invoice_finalized(invoice, &parts, moment)?;
//! // Further facts of the same commit go into the same four statements.
//! let paid = payment_received("pay_1", invoice, usd(21_880), moment)?;
//! Ok(Decision::new().write_all(post(&[finalized, paid])))
//! # }
//! ```
//!
//! What an invoice still has on each account, over all entries about it, is [`store::held`]: what may be recognized, written off or voided.

pub mod audit;
pub mod entry;
pub mod routes;
pub mod rules;
pub mod store;
pub mod wire;
