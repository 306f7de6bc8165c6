//! Whatever breaks, and wherever: one invoice a period, and numbers without a gap.

use std::collections::BTreeMap;

use futures::executor::block_on;
use futures::future::join_all;
use tenantry::jobs::messages;
use tenantry::kernel::ports::Message;
use tenantry::kernel::time::days;

use crate::billing_run::{HOUR, assert_billed_once, due_companies, due_messages, findings, handle_all, parked, sweep};
use crate::support::faults::Place;
use crate::support::world::{Company, World};

const COMPANIES: usize = 3;

/// Breaks a run, which must be felt, then lets it go on in order; in the end all is billed once.
fn broken(why: &str, break_it: impl Fn(&World), is_felt: impl Fn(&World) -> bool) {
    let world = World::new();
    let (companies, due) = due(&world);
    break_it(&world);
    let outcomes = handle_all(&world, due.clone());
    assert!(is_felt(&world), "{why}: it never came to that");
    world.heal();
    let again: Vec<Message> = due.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.is_err()).map(|(message, _)| message).collect();
    handle_all(&world, again);
    sweep(&world);
    assert_billed_once(&companies, 1, why);
    assert!(parked(&world).is_empty() && findings(&world, 2).is_empty(), "{why}");
}

/// Companies of a world with what a run has to do for them.
fn due(world: &World) -> (Vec<Company<'_>>, Vec<Message>) {
    (due_companies(world, COMPANIES), due_messages(world))
}

/// The run is broken by calls that fail at one place: `passing` are let through, `failing` fail.
fn broken_at(place: Place, passing: u32, failing: u32) {
    let why = format!("{failing} calls from call {passing} on failed: {place:?}");
    broken(&why, |world| world.fail_at(place, passing, failing), |world| world.take_faults(place) > 0);
}

/// How often a run calls each place: whatever is broken there is broken at one of these calls.
fn calls(prepare: impl Fn(&World), run: impl Fn(&World, Vec<Message>)) -> BTreeMap<Place, u32> {
    let world = World::new();
    let (_, due) = due(&world);
    prepare(&world);
    world.reset_calls();
    run(&world, due);
    let calls: BTreeMap<Place, u32> = world.places().into_iter().map(|place| (place, world.take_calls(place))).collect();
    assert!(calls.values().all(|calls| *calls > 0), "each place takes part in a run: {calls:?}");
    calls
}

fn calls_of_one_run() -> BTreeMap<Place, u32> {
    calls(|_| (), |world, due| assert!(handle_all(world, due).iter().all(Result::is_ok)))
}

#[test]
fn a_call_that_fails_anywhere_changes_nothing() {
    for (place, calls) in calls_of_one_run() {
        for nth in 0..calls {
            broken_at(place, nth, 1);
            broken_at(place, nth, 100);
        }
        // There is no call after the last one.
        let world = World::new();
        let (_, due) = due(&world);
        world.fail_at(place, calls, 1);
        assert!(handle_all(&world, due).iter().all(Result::is_ok));
        assert_eq!(world.take_faults(place), 0, "{place:?} was called more than {calls} times");
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_repeated() {
    for (place, calls) in calls_of_one_run() {
        let Place::Shard(index) = place else { continue };
        for nth in 1..=calls {
            let why = format!("the answer of batch {nth} was lost: {place:?}");
            broken(&why, |world| world.shards[index].lose_answer(nth), |world| world.take_faults(place) == 1);
        }
    }
}

#[test]
fn the_numbers_may_be_away() {
    for times in 1..=COMPANIES {
        let why = format!("the numbers were away {times} times");
        let times = u32::try_from(times).unwrap();
        broken(&why, |world| *world.numbers.failing.lock().unwrap() = times, |world| *world.numbers.failing.lock().unwrap() == 0);
    }
}

#[test]
fn lost_nudges_lose_nothing() {
    let lost = |world: &World| *world.queues.lost.lock().unwrap() > 0;
    broken("the queues lost what was sent", |world| *world.queues.lossy.lock().unwrap() = true, lost);
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
        assert!(parked(&world).is_empty());
    }
}

#[test]
fn consumers_that_meet_while_batches_fail_bill_once() {
    let two_consumers = |world: &World, due: Vec<Message>| {
        world.shards.iter().for_each(|shard| shard.interleave());
        let platform = world.platform();
        block_on(join_all((0..2).map(|_| messages::handle_all(&platform, due.clone()))));
    };
    for (place, undisturbed) in calls(|_| (), two_consumers) {
        let Place::Shard(index) = place else { continue };
        for lost in 1..=undisturbed {
            // What fails besides is one of the calls that are made when an answer is lost.
            let lose = |world: &World| world.shards[index].lose_answer(lost);
            let failing = lost * 7 % calls(lose, two_consumers)[&place];
            let why = format!("two consumers: answer {lost} was lost and call {failing} failed: {place:?}");
            let world = World::new();
            let (companies, due) = due(&world);
            lose(&world);
            world.fail_at(place, failing, 1);
            two_consumers(&world, due);
            assert_eq!(world.take_faults(place), 2, "{why}: it never came to that");
            world.heal();
            sweep(&world);
            assert_billed_once(&companies, 1, &why);
        }
    }
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
