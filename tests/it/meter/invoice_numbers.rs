//! Invoice numbers: no gap, and the same invoice has the same number.

use tenantry::durable_objects::invoice_numbers::InvoiceNumbersLedger;

use crate::support::local_sqlite::LocalSqlite;

#[test]
fn numbers_have_no_gap_and_are_given_once() {
    let sql = LocalSqlite::new();
    let mut ledger = InvoiceNumbersLedger::new(sql.clone());
    let mut number = |invoice: &str| ledger.number(invoice).unwrap();
    assert_eq!([number("inv_a"), number("inv_b"), number("inv_a"), number("inv_c"), number("inv_b")], [1, 2, 1, 3, 2]);
    let mut restarted = InvoiceNumbersLedger::new(sql);
    assert_eq!(restarted.number("inv_d"), Ok(4));
    assert_eq!(restarted.number("inv_a"), Ok(1));
}

#[test]
fn a_failure_leaves_no_gap() {
    let sql = LocalSqlite::new();
    for statements in 0..3 {
        sql.fail_after(statements);
        assert!(sql.transaction(|| InvoiceNumbersLedger::new(sql.clone()).number("inv_a")).is_err());
    }
    sql.recover();
    assert_eq!(InvoiceNumbersLedger::new(sql.clone()).number("inv_b"), Ok(1));
    assert_eq!(InvoiceNumbersLedger::new(sql).number("inv_a"), Ok(2));
}
