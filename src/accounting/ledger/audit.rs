//! Balances and the audit of the ledger. Pure: rows in, findings out.

use std::collections::{BTreeMap, BTreeSet};

use rating::{Currency, Money};

use super::entry::Account;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::EntryId;

/// The balance of an account in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    pub account: Account,
    pub amount: Money,
}

/// Refuses balances that do not sum to zero in each currency: money was lost or created.
pub fn check_balances(balances: &[Balance]) -> Result<()> {
    match unbalanced_currencies(balances).first() {
        None => Ok(()),
        Some((currency, sum)) => Err(Error::internal(format!("the ledger does not balance: its accounts in {currency} sum to {sum}"))),
    }
}

fn unbalanced_currencies(balances: &[Balance]) -> Vec<(Currency, i128)> {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for balance in balances {
        let sum = sums.entry(balance.amount.currency()).or_default();
        *sum = sum.saturating_add(i128::from(balance.amount.minor()));
    }
    sums.into_iter().filter(|(_, sum)| *sum != 0).collect()
}

/// The balance that other records claim for an account, such as open invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The records that are summed, for people.
    pub basis: &'static str,
    pub account: Account,
    /// One amount per currency, with the sign of the account: a debt of the seller is below zero. A missing currency is zero.
    pub amounts: Vec<Money>,
}

/// The data of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The stored balances.
    pub balances: Vec<Balance>,
    /// The sums of all postings.
    pub recomputed: Vec<Balance>,
    pub entries: u64,
    /// The first entries that do not sum to zero.
    pub unbalanced: Vec<EntryId>,
    pub claims: Vec<Claim>,
}

/// The stored balance of an account, and the sum of its postings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedBalance {
    pub account: Account,
    pub kept: Money,
    pub recomputed: Money,
}

/// A claim, and the sum of the postings of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedClaim {
    pub basis: &'static str,
    pub account: Account,
    pub claimed: Money,
    pub recomputed: Money,
}

/// The result of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    pub balances: Vec<AuditedBalance>,
    pub entries: u64,
    pub unbalanced: Vec<EntryId>,
    pub claims: Vec<AuditedClaim>,
    pub is_consistent: bool,
}

/// Compares the stored balances with the postings, and the postings with the claims.
pub fn audit(books: &Books) -> Audit {
    let balances: Vec<AuditedBalance> = accounts(books)
        .into_iter()
        .map(|(currency, account)| AuditedBalance {
            account,
            kept: balance(&books.balances, account, currency),
            recomputed: balance(&books.recomputed, account, currency),
        })
        .collect();
    let claims: Vec<AuditedClaim> = books.claims.iter().flat_map(|claim| audited(claim, books)).collect();
    let is_consistent = balances.iter().all(|balance| balance.kept == balance.recomputed)
        && claims.iter().all(|claim| claim.claimed == claim.recomputed)
        && books.unbalanced.is_empty()
        && unbalanced_currencies(&books.balances).is_empty()
        && unbalanced_currencies(&books.recomputed).is_empty();
    Audit { balances, entries: books.entries, unbalanced: books.unbalanced.clone(), claims, is_consistent }
}

/// Every account with a balance or a posting.
fn accounts(books: &Books) -> BTreeSet<(Currency, Account)> {
    let both = books.balances.iter().chain(&books.recomputed);
    both.map(|balance| (balance.amount.currency(), balance.account)).collect()
}

fn balance(balances: &[Balance], account: Account, currency: Currency) -> Money {
    let found = balances.iter().find(|balance| balance.account == account && balance.amount.currency() == currency);
    found.map_or(Money::zero(currency), |balance| balance.amount)
}

/// A claim in each currency of the claim or of its account.
fn audited(claim: &Claim, books: &Books) -> Vec<AuditedClaim> {
    let posted = accounts(books).into_iter().filter(|(_, account)| *account == claim.account).map(|(currency, _)| currency);
    let currencies: BTreeSet<Currency> = claim.amounts.iter().map(|amount| amount.currency()).chain(posted).collect();
    let claimed = |currency| claim.amounts.iter().find(|amount| amount.currency() == currency).copied().unwrap_or(Money::zero(currency));
    currencies
        .into_iter()
        .map(|currency| AuditedClaim {
            basis: claim.basis,
            account: claim.account,
            claimed: claimed(currency),
            recomputed: balance(&books.recomputed, claim.account, currency),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn held(account: Account, minor: i64, currency: Currency) -> Balance {
        Balance { account, amount: Money::new(minor, currency) }
    }

    fn consistent() -> Books {
        let balances = vec![
            held(Account::Receivable, 100, Currency::USD),
            held(Account::Revenue, -100, Currency::USD),
            held(Account::Cash, 7, Currency::EUR),
            held(Account::Credit, -7, Currency::EUR),
        ];
        let claims = vec![Claim { basis: "open invoices", account: Account::Receivable, amounts: vec![usd(100)] }];
        Books { recomputed: balances.clone(), balances, entries: 2, unbalanced: Vec::new(), claims }
    }

    #[test]
    fn an_audit_finds_each_difference() {
        let good = audit(&consistent());
        assert!(good.is_consistent && good.balances.len() == 4 && good.claims.len() == 1);
        assert!(audit(&Books::default()).is_consistent);
        let found = |name: &str, spoil: &dyn Fn(&mut Books)| {
            let mut books = consistent();
            spoil(&mut books);
            assert!(!audit(&books).is_consistent, "{name}");
        };
        found("a balance that was changed", &|books| books.balances[0].amount = usd(101));
        found("a balance that is gone", &|books| books.balances.truncate(3));
        found("postings that are gone", &|books| books.recomputed.clear());
        found("both changed alike, so that they don't sum to zero", &|books| {
            books.balances[0].amount = usd(101);
            books.recomputed[0].amount = usd(101);
            books.claims[0].amounts[0] = usd(101);
        });
        found("an entry that does not balance", &|books| books.unbalanced.push(EntryId::from_bytes([1; 16])));
        found("an invoice the ledger does not know", &|books| books.claims[0].amounts[0] = usd(200));
        found("an invoice in a currency the ledger does not know", &|books| books.claims[0].amounts.push(Money::new(1, Currency::JPY)));
        found("a receivable no invoice knows", &|books| books.claims[0].amounts.clear());
    }

    #[test]
    fn balances_sum_to_zero_in_each_currency() {
        assert_eq!(check_balances(&consistent().balances), Ok(()));
        assert_eq!(check_balances(&[]), Ok(()));
        let across = [held(Account::Cash, 1, Currency::USD), held(Account::Revenue, -1, Currency::EUR)];
        assert!(matches!(check_balances(&across), Err(Error::Internal(text)) if text.contains("EUR")));
    }
}
