//! Whatever breaks, and wherever: one invoice a period, and numbers without a gap.

use std::collections::BTreeMap;

use futures::executor::block_on;
use futures::future::join_all;
use tenantry::jobs::messages;
use tenantry::kernel::ports::Message;
use tenantry::kernel::time::days;

use crate::billing_run::{HOUR, assert_billed_once, dead_letters, due_companies, due_messages, findings, handle_all, sweep};
use crate::support::faults::Place;
use crate::support::sqlite::Sqlite;
use crate::support::world::{Company, World};

const COMPANIES: usize = 3;

/// Companies for which a run has something to do, and what: set up once, and run in copies of their world.
struct Due<'w> {
    companies: Vec<Company<'w>>,
    messages: Vec<Message>,
}

impl<'w> Due<'w> {
    fn new(world: &'w World) -> Self {
        Self { companies: due_companies(world, COMPANIES), messages: due_messages(world) }
    }

    fn copy(&self) -> World {
        self.companies[0].world.copy()
    }

    /// Breaks a run, which must be felt, then lets it go on in order; in the end all is billed once.
    fn broken(&self, why: &str, break_it: impl Fn(&World), is_felt: impl Fn(&World) -> bool) {
        let world = self.copy();
        break_it(&world);
        let outcomes = handle_all(&world, self.messages.clone());
        assert!(is_felt(&world), "{why}: it never came to that");
        world.heal();
        let failed = self.messages.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_err());
        handle_all(&world, failed.map(|(message, _)| message.clone()).collect());
        self.assert_billed(&world, why);
        assert!(dead_letters(&world).is_empty() && findings(&world, 2).is_empty(), "{why}");
    }

    fn assert_billed(&self, world: &World, why: &str) {
        sweep(world);
        let companies: Vec<Company<'_>> = self.companies.iter().map(|company| company.within(world)).collect();
        assert_billed_once(&companies, 1, why);
    }

    /// The run is broken by calls that fail at one place: `passing` are let through, `failing` fail.
    fn broken_at(&self, place: Place, passing: u32, failing: u32) {
        let why = format!("{failing} calls from call {passing} on failed: {place:?}");
        self.broken(&why, |world| world.fail_at(place, passing, failing), |world| world.take_faults(place) > 0);
    }

    /// How often a run calls each place: whatever is broken there is broken at one of these calls.
    fn calls(&self) -> BTreeMap<Place, u32> {
        let world = self.copy();
        assert!(handle_all(&world, self.messages.clone()).iter().all(Result::is_ok));
        let calls: BTreeMap<Place, u32> = world.places().into_iter().map(|place| (place, world.take_calls(place))).collect();
        assert!(calls.values().all(|calls| *calls > 0), "each place takes part in a run: {calls:?}");
        calls
    }
}

#[test]
fn a_call_that_fails_anywhere_changes_nothing() {
    let world = World::new();
    let due = Due::new(&world);
    for (place, calls) in due.calls() {
        for nth in 0..calls {
            due.broken_at(place, nth, 1);
            due.broken_at(place, nth, 100);
        }
        // There is no call after the last one.
        let world = due.copy();
        world.fail_at(place, calls, 1);
        assert!(handle_all(&world, due.messages.clone()).iter().all(Result::is_ok));
        assert_eq!(world.take_faults(place), 0, "{place:?} was called more than {calls} times");
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_repeated() {
    let world = World::new();
    let due = Due::new(&world);
    for (place, calls) in due.calls() {
        let Place::Shard(index) = place else { continue };
        for nth in 1..=calls {
            let why = format!("the answer of batch {nth} was lost: {place:?}");
            due.broken(&why, |world| world.shards[index].lose_answer(nth), |world| world.take_faults(place) == 1);
        }
    }
}

#[test]
fn the_numbers_may_be_away() {
    let world = World::new();
    let due = Due::new(&world);
    for times in 1..=u32::try_from(COMPANIES).unwrap() {
        let why = format!("the numbers were away {times} times");
        due.broken(&why, |world| *world.numbers.failing.lock().unwrap() = times, |world| *world.numbers.failing.lock().unwrap() == 0);
    }
}

#[test]
fn lost_nudges_lose_nothing() {
    let lost = |world: &World| *world.queues.lost.lock().unwrap() > 0;
    let world = World::new();
    Due::new(&world).broken("the queues lost what was sent", |world| *world.queues.lossy.lock().unwrap() = true, lost);
    let world = World::new();
    let companies = due_companies(&world, COMPANIES);
    *world.queues.lossy.lock().unwrap() = true;
    world.cron(HOUR);
    assert!(lost(&world), "a run sends its first pages");
    world.heal();
    sweep(&world);
    assert_billed_once(&companies, 1, "the pages were lost");
}

#[test]
fn a_run_that_is_repeated_and_reordered_changes_nothing() {
    let world = World::new();
    let companies = due_companies(&world, 8);
    let due = due_messages(&world);
    // Each three times, backwards, in batches that overlap in what they name.
    let mut messages: Vec<Message> = due.iter().chain(&due).chain(&due).rev().cloned().collect();
    messages.rotate_left(5);
    for batch in messages.chunks(7) {
        assert!(handle_all(&world, batch.to_vec()).iter().all(Result::is_ok));
    }
    world.deliver();
    assert_billed_once(&companies, 1, "repeated");
    let again = due_messages(&world);
    assert!(again.is_empty(), "nothing is due any more: {again:?}");
}

#[test]
fn consumers_that_meet_batch_by_batch_bill_once() {
    for consumers in 2..=4 {
        let world = World::new();
        let companies = due_companies(&world, COMPANIES);
        let due = due_messages(&world);
        world.shards.iter().for_each(|shard| shard.interleave());
        let platform = world.platform();
        let runs = (0..consumers).map(|turn| {
            let mut mine = due.clone();
            mine.rotate_left(turn % COMPANIES);
            messages::handle_all(&platform, mine)
        });
        block_on(join_all(runs));
        sweep(&world);
        assert_billed_once(&companies, 1, &format!("{consumers} consumers at once"));
        assert!(dead_letters(&world).is_empty());
    }
}

#[test]
fn consumers_that_meet_while_batches_fail_bill_once() {
    let world = World::new();
    let due = Due::new(&world);
    for index in 0..world.shards.len() {
        let course = |break_it: &dyn Fn(&Sqlite)| {
            let world = due.copy();
            break_it(&world.shards[index]);
            two_consumers(&world, due.messages.clone());
            world.shards[index].course()
        };
        // What breaks second is one of the batches that come when the first has broken.
        let undisturbed = course(&|_| ());
        for nth in 1..=undisturbed.answers {
            let lost = course(&|shard| shard.lose_answer(nth));
            let failing = later(lost.calls_before + 1, lost.calls);
            meet(&due, index, |shard| shard.lose_answer(nth), failing, |shard, failing| shard.fail_after(failing, 1));
        }
        for nth in 0..undisturbed.calls {
            let failed = course(&|shard| shard.fail_after(nth, 1));
            let losing = later(failed.answers_before + 1, failed.answers + 1);
            meet(&due, index, |shard| shard.fail_after(nth, 1), losing, |shard, losing| shard.lose_answer(losing));
        }
    }
}

fn two_consumers(world: &World, messages: Vec<Message>) {
    world.shards.iter().for_each(|shard| shard.interleave());
    let platform = world.platform();
    block_on(join_all((0..2).map(|_| messages::handle_all(&platform, messages.clone()))));
}

/// Some number from `first` on, if there is one before `end`.
fn later(first: u32, end: u32) -> Option<u32> {
    (first < end).then(|| first + first * 7 % (end - first))
}

/// Two consumers at once, while a shard breaks once, and once more if there is a second.
fn meet(due: &Due<'_>, index: usize, first: impl Fn(&Sqlite), second: Option<u32>, break_again: impl Fn(&Sqlite, u32)) {
    let world = due.copy();
    let shard = &world.shards[index];
    first(shard);
    second.into_iter().for_each(|second| break_again(shard, second));
    two_consumers(&world, due.messages.clone());
    let wanted = 1 + u32::from(second.is_some());
    assert_eq!(shard.take_faults(), wanted, "two consumers: not all that should break broke: shard {index}, {second:?}");
    world.heal();
    due.assert_billed(&world, "two consumers");
}

#[test]
fn who_is_many_periods_behind_is_billed_for_each() {
    let world = World::new();
    let companies = due_companies(&world, 2);
    world.pass(days(31 * 29));
    let due = due_messages(&world);
    assert!(handle_all(&world, due).iter().all(Result::is_ok));
    world.deliver();
    let periods = companies[0].invoices().len();
    assert!(periods > 28, "{periods}");
    assert_billed_once(&companies, periods, "far behind");
    assert_eq!(findings(&world, 0), [] as [serde_json::Value; 0]);
}
