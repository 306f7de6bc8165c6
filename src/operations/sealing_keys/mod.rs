//! Sealing keys: their rotation, as the API offers it.
//!
//! Owns: the endpoint. Does not own: the keys (`sealing/`).

pub mod routes;
