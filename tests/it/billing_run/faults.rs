//! Whatever breaks, and wherever: one invoice a period, and numbers without a gap.

use std::collections::BTreeMap;

use futures::executor::block_on;
use futures::future::join_all;
use tenantry::jobs::messages;
use tenantry::kernel::ports::Message;
use tenantry::kernel::time::days;

use crate::billing_run::{HOUR, assert_billed_once, dead_letters, due_companies, due_messages, findings, handle_all, sweep};
use crate::support::faults::Place;
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
    fn calls(&self, prepare: impl Fn(&World), run: impl Fn(&World, Vec<Message>)) -> BTreeMap<Place, u32> {
        let world = self.copy();
        prepare(&world);
        run(&world, self.messages.clone());
        let calls: BTreeMap<Place, u32> = world.places().into_iter().map(|place| (place, world.take_calls(place))).collect();
        assert!(calls.values().all(|calls| *calls > 0), "each place takes part in a run: {calls:?}");
        calls
    }

    fn calls_of_one_run(&self) -> BTreeMap<Place, u32> {
        self.calls(|_| (), |world, due| assert!(handle_all(world, due).iter().all(Result::is_ok)))
    }
}

#[test]
fn a_call_that_fails_anywhere_changes_nothing() {
    let world = World::new();
    let due = Due::new(&world);
    for (place, calls) in due.calls_of_one_run() {
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
    for (place, calls) in due.calls_of_one_run() {
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
    for (place, undisturbed) in due.calls(|_| (), two_consumers) {
        let Place::Shard(index) = place else { continue };
        let lose = |world: &World, nth: u32| world.shards[index].lose_answer(nth + 1);
        for nth in 0..undisturbed {
            // What happens second happens to one of the calls that are made when the first has happened.
            let failing = later(nth + 1, due.calls(|world| lose(world, nth), two_consumers)[&place]);
            meet(&due, place, |world| {
                lose(world, nth);
                failing.map_or(1, |failing| {
                    world.fail_at(place, failing, 1);
                    2
                })
            });
            // A call that fails has no answer to lose.
            let losing = later(nth, due.calls(|world| world.fail_at(place, nth, 1), two_consumers)[&place] - 1);
            meet(&due, place, |world| {
                world.fail_at(place, nth, 1);
                losing.map_or(1, |losing| {
                    lose(world, losing);
                    2
                })
            });
        }
    }
}

fn two_consumers(world: &World, messages: Vec<Message>) {
    world.shards.iter().for_each(|shard| shard.interleave());
    let platform = world.platform();
    block_on(join_all((0..2).map(|_| messages::handle_all(&platform, messages.clone()))));
}

/// Some call from `first` on, if there is one before `end`.
fn later(first: u32, end: u32) -> Option<u32> {
    (first < end).then(|| first + first * 7 % (end - first))
}

/// Two consumers at once, while so much breaks as `break_it` says.
fn meet(due: &Due<'_>, place: Place, break_it: impl Fn(&World) -> u32) {
    let world = due.copy();
    let wanted = break_it(&world);
    two_consumers(&world, due.messages.clone());
    assert_eq!(world.take_faults(place), wanted, "two consumers: not all that should break broke: {place:?}");
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
