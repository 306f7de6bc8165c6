//! Sealing keys: the endpoint of their rotation.
//!
//! Owns: the endpoint. Does not own: the keys (`sealing/`).

pub mod routes;
