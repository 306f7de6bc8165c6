//! Whatever breaks, and wherever: one invoice a period, and numbers without a gap.

use futures::executor::block_on;
use futures::future::join_all;
use tenantry::jobs::messages;
use tenantry::kernel::ports::Message;
use tenantry::kernel::time::days;

use crate::billing_run::{HOUR, assert_billed_once, due_companies, due_messages, findings, handle_all, parked, sweep};
use crate::support::world::World;

/// More batches than a run of three companies makes.
const BATCHES_MAX: u32 = 24;
const COMPANIES: usize = 3;

/// Breaks a run, then lets it go on in order; in the end all is billed once.
fn broken(why: &str, break_it: impl Fn(&World)) {
    let world = World::new();
    let companies = due_companies(&world, COMPANIES);
    let due = due_messages(&world);
    break_it(&world);
    let outcomes = handle_all(&world, due.clone());
    heal(&world);
    let again: Vec<Message> = due.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.is_err()).map(|(message, _)| message).collect();
    handle_all(&world, again);
    sweep(&world);
    assert_billed_once(&companies, 1, why);
    assert!(parked(&world).is_empty() && findings(&world, 2).is_empty(), "{why}");
}

fn heal(world: &World) {
    for shard in &world.shards {
        shard.fail(0);
        shard.lose_answer(0);
    }
    world.directory.fail(0);
    world.meters_fail(0, 0);
    *world.numbers.failing.lock().unwrap() = 0;
    *world.queues.lossy.lock().unwrap() = false;
}

#[test]
fn a_batch_that_fails_anywhere_changes_nothing() {
    for nth in 0..BATCHES_MAX {
        broken(&format!("batch {nth} failed on every shard"), |world| world.shards.iter().for_each(|shard| shard.fail_after(nth, 1)));
        broken(&format!("from batch {nth} on the shards were away"), |world| {
            world.shards.iter().for_each(|shard| shard.fail_after(nth, 100))
        });
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_repeated() {
    for nth in 1..BATCHES_MAX {
        broken(&format!("the answer of batch {nth} was lost"), |world| world.shards.iter().for_each(|shard| shard.lose_answer(nth)));
    }
}

#[test]
fn a_meter_the_directory_or_the_numbers_may_be_away() {
    for nth in 0..12 {
        broken(&format!("call {nth} of the Meters failed"), |world| world.meters_fail(nth, 1));
        broken(&format!("calls {nth} and on of the Meters failed"), |world| world.meters_fail(nth, 50));
    }
    broken("the directory was away", |world| world.directory.fail(1));
    for times in [1, 2, 5] {
        broken(&format!("the numbers were away {times} times"), |world| *world.numbers.failing.lock().unwrap() = times);
    }
}

#[test]
fn lost_nudges_lose_nothing() {
    broken("the queues lost what was sent", |world| *world.queues.lossy.lock().unwrap() = true);
    let world = World::new();
    let companies = due_companies(&world, COMPANIES);
    *world.queues.lossy.lock().unwrap() = true;
    world.cron(HOUR);
    *world.queues.lossy.lock().unwrap() = false;
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
    for nth in 0..BATCHES_MAX {
        let world = World::new();
        let companies = due_companies(&world, COMPANIES);
        let due = due_messages(&world);
        for shard in &world.shards {
            shard.interleave();
            shard.fail_after(nth, 2);
            shard.lose_answer(nth / 2 + 1);
        }
        let platform = world.platform();
        block_on(join_all((0..2).map(|_| messages::handle_all(&platform, due.clone()))));
        heal(&world);
        sweep(&world);
        assert_billed_once(&companies, 1, &format!("two consumers, and batch {nth} failed"));
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
