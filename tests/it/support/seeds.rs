//! Runs from seeds, on all cores at once. `SEED=7` runs that one, `SEEDS=1000` so many, and both so many from there on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The seeds that were asked for, or the first ones.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    pub first: u64,
    pub count: u64,
}

impl Seeds {
    pub fn asked_or(count: u64) -> Self {
        match (number("SEED"), number("SEEDS")) {
            (Some(first), None) => Self { first, count: 1 },
            (first, asked) => Self { first: first.unwrap_or(1), count: asked.unwrap_or(count) },
        }
    }

    /// Runs each; after one that fails no other begins, and how to repeat it is said.
    pub fn run(self, test: &str, run: impl Fn(u64) + Sync) {
        let next = AtomicU64::new(self.first);
        let failed = Mutex::new(Vec::new());
        let work = || {
            while failed.lock().unwrap().is_empty() {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= self.first + self.count {
                    break;
                }
                if catch_unwind(AssertUnwindSafe(|| run(seed))).is_err() {
                    failed.lock().unwrap().push(seed);
                }
            }
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
        let failed = failed.into_inner().unwrap();
        assert!(failed.is_empty(), "seeds {failed:?} failed; this is one of them again: SEED={} cargo test --test it {test}", failed[0]);
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn every_seed_runs_once_and_one_that_fails_is_named() {
    let ran = Mutex::new(Vec::new());
    Seeds { first: 7, count: 40 }.run("nothing", |seed| ran.lock().unwrap().push(seed));
    let mut ran = ran.into_inner().unwrap();
    ran.sort_unstable();
    assert_eq!(ran, (7..47).collect::<Vec<_>>());
    let failing = || Seeds { first: 1, count: 9 }.run("nothing", |seed| assert_ne!(seed, 5, "this seed fails on purpose"));
    let said = catch_unwind(failing).unwrap_err().downcast::<String>().unwrap();
    assert!(said.contains("seeds [5] failed") && said.contains("SEED=5 cargo test --test it nothing"), "{said}");
}
