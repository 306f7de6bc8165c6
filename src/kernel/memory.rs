//! A cache of the isolate across events, each value for a short time. Losing it costs only time.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::time::Timestamp;

/// Values in the cache at most; a further one empties it.
const ENTRIES_MAX: usize = 10_000;

#[derive(Default)]
pub struct Memory(Mutex<HashMap<String, Entry>>);

struct Entry {
    until: Timestamp,
    value: Arc<dyn Any + Send + Sync>,
}

impl Memory {
    /// The value of this name, if it is not too old at `now`.
    pub fn recall<T: Any + Send + Sync>(&self, name: &str, now: Timestamp) -> Option<Arc<T>> {
        let entries = self.entries();
        let entry = entries.get(name).filter(|entry| now < entry.until)?;
        entry.value.clone().downcast().ok()
    }

    pub fn keep<T: Any + Send + Sync>(&self, name: &str, until: Timestamp, value: Arc<T>) {
        let mut entries = self.entries();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(name.to_owned(), Entry { until, value });
    }

    pub fn forget(&self, name: &str) {
        self.entries().remove(name);
    }

    /// A panic while holding the lock leaves the map valid: each change is one call.
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_known_until_its_time_is_over() {
        let (memory, at) = (Memory::default(), Timestamp::from_millis);
        memory.keep("answer", at(10), Arc::new(42_u32));
        assert_eq!(memory.recall::<u32>("answer", at(9)).as_deref(), Some(&42));
        assert!(memory.recall::<u32>("answer", at(10)).is_none());
        assert!(memory.recall::<String>("answer", at(9)).is_none(), "it is no text");
        memory.forget("answer");
        assert!(memory.recall::<u32>("answer", at(9)).is_none());
    }
}
