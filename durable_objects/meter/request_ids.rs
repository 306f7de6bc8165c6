//! The ids of a group's requests.

use crate::kernel::ids::{Entropy, Moment, RequestId};
use crate::kernel::time::Timestamp;

/// The ids of a group's requests: randomness is drawn once and counted up.
pub(super) struct RequestIds {
    wall: Timestamp,
    next: u128,
}

impl RequestIds {
    pub fn new(wall: Timestamp, entropy: &dyn Entropy) -> Self {
        Self { wall, next: u128::from_be_bytes(entropy.bytes()) }
    }

    pub fn draw(&mut self) -> String {
        let drawn = Drawn(self.next.to_be_bytes());
        self.next = self.next.wrapping_add(1);
        RequestId::new(Moment { now: self.wall, entropy: &drawn }).to_string()
    }
}

pub(super) struct Drawn(pub [u8; 16]);

impl Entropy for Drawn {
    fn bytes(&self) -> [u8; 16] {
        self.0
    }
}
