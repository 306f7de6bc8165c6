//! All tests that use the crate as others do, in one program.

mod billing;
mod bills;
mod dialects;
mod models;
mod prices;
mod properties;
mod time;
