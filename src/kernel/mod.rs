//! The kernel: what every slice stands on and none owns.

pub mod actor;
pub mod audit;
pub mod canonical;
pub mod conformance;
pub mod decision;
pub mod error;
pub mod follow_up;
pub mod idempotency;
pub mod ids;
pub mod json;
pub mod mac;
pub mod mail;
pub mod masking;
pub mod memory;
pub mod organization;
pub mod page;
pub mod period;
pub mod placement;
pub mod platform;
pub mod ports;
pub mod problem;
pub mod sql;
pub mod tables;
pub mod tenant;
pub mod time;
