//! The World: the whole product natively, over twins of what Cloudflare gives. Requests go through the router, as a client's do.

pub mod described;
pub mod faults;
pub mod lines;
pub mod local_sqlite;
pub mod people;
pub mod plans;
pub mod rows;
pub mod seeds;
pub mod sqlite;
pub mod twins;
pub mod world;
