//! Where a World can break, how often each place was asked, and how often it failed there.

use super::world::World;

/// What a request or a message may be cut off at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Directory,
    Shard(usize),
    Meters,
}

impl World {
    pub fn places(&self) -> Vec<Place> {
        let shards = (0..self.shards.len()).map(Place::Shard);
        [Place::Directory, Place::Meters].into_iter().chain(shards).collect()
    }

    /// Lets `passing` calls through there, then fails `failing`.
    pub fn fail_at(&self, place: Place, passing: u32, failing: u32) {
        match place {
            Place::Directory => self.directory.fail_after(passing, failing),
            Place::Shard(index) => self.shards[index].fail_after(passing, failing),
            Place::Meters => self.meters_fail(passing, failing),
        }
    }

    /// How often it was called since the last time.
    pub fn take_calls(&self, place: Place) -> u32 {
        match place {
            Place::Directory => self.directory.take_batches(),
            Place::Shard(index) => self.shards[index].take_batches(),
            Place::Meters => std::mem::take(&mut *self.meters.calls.lock().unwrap()),
        }
    }

    /// How often a call failed or lost its answer because a test wanted it, since the last time.
    pub fn take_faults(&self, place: Place) -> u32 {
        match place {
            Place::Directory => self.directory.take_faults(),
            Place::Shard(index) => self.shards[index].take_faults(),
            Place::Meters => std::mem::take(&mut *self.meters.faults.lock().unwrap()),
        }
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.places().into_iter().for_each(|place| self.fail_at(place, 0, 0));
        self.shards.iter().chain([&self.directory]).for_each(|database| database.lose_answer(0));
        *self.numbers.failing.lock().unwrap() = 0;
        *self.queues.lossy.lock().unwrap() = false;
    }
}
