//! The World: the whole product natively, over twins of what Cloudflare gives. Requests go through the router, as a client's do.
#![allow(dead_code, reason = "each test file uses a part of the World")]

pub mod local_sqlite;
pub mod people;
pub mod plans;
pub mod rows;
pub mod sqlite;
pub mod twins;
pub mod world;
