//! Second factors: a generator of codes on a person's device (TOTP, RFC 6238), required at login beside the code from the email.
//!
//! Owns: enrolling, confirming, checking and removing it, and its recovery codes. Does not own: the login that requires it (`sessions`).
//! Words: a *step* is 30 seconds; the *seed* is what the device and we share; a factor is *confirmed* by a first code, and protects from
//! then on; a *recovery code* replaces a lost device, once.
//! Invariants: a factor belongs to the person, in every organization; its seed is shown once and stored sealed; a step is accepted once,
//! whatever the interleaving; recovery codes are made from the person and the server's secret, and only which are left is stored.

pub mod check;
pub mod routes;
pub mod rules;
pub mod store;
pub mod totp;
