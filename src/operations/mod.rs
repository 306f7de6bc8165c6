//! Operations: the audit log, exports, test clocks and maintenance.
//!
//! Owns: the audit log, exports, test clocks, key rotation, housekeeping. Does not own: the calendar (`jobs/`).

pub mod audit;
pub mod exports;
pub mod maintenance;
pub mod sealing_keys;
pub mod test_clocks;
