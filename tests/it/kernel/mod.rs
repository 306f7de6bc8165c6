//! The kernel over its twins.

mod chain;

use crate::support::sqlite::Sqlite;
use futures::executor::block_on;
use tenantry::kernel::conformance;

#[test]
fn the_sqlite_twin_does_what_a_database_must() {
    for (sentence, outcome) in block_on(conformance::check(&Sqlite::migrated("tenants"))) {
        assert_eq!(outcome, Ok(()), "{sentence}");
    }
}
