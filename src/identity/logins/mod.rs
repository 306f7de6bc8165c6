//! Logins: how a person proves that an email is theirs, with a code or a link that was mailed there.
//!
//! Owns: asking for a login, its mail, its code and link, and how often one may guess. Does not own: what a proven email opens
//! (`sessions`), and how often one may ask (`throttle`).
//! Words: a *login* is one mail with one code and one link; it is *live* until it is used, expires or was guessed at too often.
//! Invariants: whoever asks learns nothing of whom we know, neither by the answer nor by the time it takes: the request writes a row and
//! looks at nothing, and the queue looks whom it is for. Code and link are made from the login's id and the server's secret, so none is
//! stored; a guess is counted before it is compared; a login opens one session.

pub mod mail;
pub mod organizations;
pub mod routes;
pub mod rules;
pub mod secrets;
pub mod store;
