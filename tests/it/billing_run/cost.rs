//! What an invoice costs, in batches: they are what a billing run waits for.

use tenantry::kernel::ports::Message;

use crate::billing_run::{assert_billed_once, due_companies, due_messages, handle_all};
use crate::support::world::World;

/// Batches of an invoice, from the message that asks for it to the last step that follows from it.
const BATCHES_MAX: u32 = 6;

fn reset(world: &World) {
    world.shards.iter().for_each(|shard| assert!(shard.take_batches() < u32::MAX));
    assert!(world.directory.take_batches() < u32::MAX);
}

/// Batches of the tenants' databases and of the directory since the last reset.
fn taken(world: &World) -> (u32, u32) {
    (world.shards.iter().map(|shard| shard.take_batches()).sum(), world.directory.take_batches())
}

#[test]
fn one_message_is_at_most_six_batches() {
    let world = World::new();
    let companies = due_companies(&world, 1);
    let due = due_messages(&world);
    assert_eq!(due.len(), 1);
    // An isolate asks once a minute who sells.
    futures::executor::block_on(tenantry::billing::seller::store::remembered(&world.app)).unwrap();
    reset(&world);
    assert_eq!(handle_all(&world, due), [Ok(())]);
    let (tenants, directory) = taken(&world);
    println!("one message: {tenants} batches of the tenant's database and {directory} of the directory");
    assert!(tenants + directory <= BATCHES_MAX, "{tenants} + {directory}");
    let sent = std::mem::take(&mut *world.queues.messages.lock().unwrap());
    assert!(sent.iter().all(|message| matches!(message, Message::Mail { .. })), "nobody is nudged to look at what is done: {sent:?}");
    assert_eq!(sent.len(), 1);
    reset(&world);
    assert_eq!(handle_all(&world, sent.into()), [Ok(())]);
    println!("its mail: {:?}", taken(&world));
    assert_billed_once(&companies, 1, "one message");
}

#[test]
fn a_batch_of_messages_asks_once_where_all_of_them_live() {
    let world = World::new();
    let companies = due_companies(&world, 25);
    reset(&world);
    let due = due_messages(&world);
    let (pages, _) = taken(&world);
    assert_eq!(due.len(), 25);
    assert!(handle_all(&world, due).iter().all(Result::is_ok));
    let (tenants, directory) = taken(&world);
    let invoices = companies.len() as u32;
    println!("{invoices} invoices: {tenants} batches of the tenants' databases, {directory} of the directory, and {pages} for the pages");
    assert_eq!(directory, 2, "where they live, and who sells");
    assert!(tenants + directory + pages <= BATCHES_MAX * invoices);
    reset(&world);
    let mails: Vec<Message> = std::mem::take(&mut *world.queues.messages.lock().unwrap()).into();
    assert_eq!(mails.len(), companies.len());
    assert!(handle_all(&world, mails).iter().all(Result::is_ok));
    println!("their mails: {:?}", taken(&world));
    assert_billed_once(&companies, 1, "a batch");
}

#[test]
fn a_message_that_comes_again_is_three_batches() {
    let world = World::new();
    let companies = due_companies(&world, 1);
    let due = due_messages(&world);
    handle_all(&world, due.clone());
    world.deliver();
    reset(&world);
    assert_eq!(handle_all(&world, due), [Ok(())]);
    let (tenants, directory) = taken(&world);
    assert!(tenants + directory <= 4, "{tenants} + {directory}");
    assert_billed_once(&companies, 1, "twice");
}
