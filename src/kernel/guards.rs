//! Guards: a commit checks again the rows on which it was decided.
//!
//! Owns: the one form of a guard. Does not own: the guarded conditions (the stores of the slices).
//! Invariant: a guard that finds a read stale inserts a row that `CHECK (fresh = 1)` refuses, which rolls the whole batch back
//! (`docs/decisions/0004-stale-reads-abort-the-batch.md`).

/// The guard of a row that was read at a version: `unchanged!("teams", team.id, team.version)`.
#[macro_export]
macro_rules! unchanged {
    ($table:literal, $id:expr, $version:expr) => {
        $crate::stale_if!(
            @tenant concat!("NOT EXISTS (SELECT 1 FROM ", $table, " WHERE organization_id = ?1 AND id = ?2 AND version = ?3)"),
            $id,
            $version
        )
    };
}

/// A guard that finds a read stale where `condition` holds. It is a statement like one of `tenant_sql!`: the organization is `?1`, and the
/// condition has to name it. `stale_if!(directory, ...)` is one over the directory.
#[macro_export]
macro_rules! stale_if {
    (directory, $condition:literal $(, $param:expr)* $(,)?) => {
        $crate::kernel::sql::Statement {
            text: concat!("INSERT INTO stale_guards (fresh) SELECT 0 WHERE ", $condition),
            params: vec![$($crate::kernel::sql::Value::from($param)),*],
        }
    };
    (@tenant $condition:expr $(, $param:expr)*) => {{
        const TEXT: &str = {
            assert!($crate::kernel::tenant::is_scoped($condition), "scope this guard by `organization_id = ?1`");
            concat!("INSERT INTO stale_guards (organization_id, fresh) SELECT ?1, 0 WHERE ", $condition)
        };
        $crate::kernel::tenant::TenantStatement::checked(TEXT, vec![$($crate::kernel::sql::Value::from($param)),*])
    }};
    ($condition:literal $(, $param:expr)* $(,)?) => {
        $crate::stale_if!(@tenant $condition $(, $param)*)
    };
}

#[cfg(test)]
mod tests {
    use crate::kernel::sql::Value;
    use crate::kernel::tenant::TenantStatement;

    #[test]
    fn a_version_is_guarded_like_any_condition() {
        let guard = unchanged!("teams", "team_1", 7_i64);
        let written =
            stale_if!("NOT EXISTS (SELECT 1 FROM teams WHERE organization_id = ?1 AND id = ?2 AND version = ?3)", "team_1", 7_i64);
        assert_eq!(guard, written);
        let whole = "INSERT INTO stale_guards (organization_id, fresh) SELECT ?1, 0 \
            WHERE NOT EXISTS (SELECT 1 FROM teams WHERE organization_id = ?1 AND id = ?2 AND version = ?3)";
        assert_eq!(guard, TenantStatement::checked(whole, vec![Value::from("team_1"), Value::from(7_i64)]));
    }

    #[test]
    fn a_guard_of_the_directory_names_no_organization() {
        let guard = stale_if!(directory, "EXISTS (SELECT 1 FROM signing_keys WHERE signs_from > ?1)", 5_i64);
        assert_eq!(guard.text, "INSERT INTO stale_guards (fresh) SELECT 0 WHERE EXISTS (SELECT 1 FROM signing_keys WHERE signs_from > ?1)");
        assert_eq!(guard.params, [Value::from(5_i64)]);
    }
}
