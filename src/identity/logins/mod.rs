//! Logins: how a person proves that an email address is theirs, with a code or a link from an email.
//!
//! Owns: the request for a login, its email, its code and link, and the number of guesses. Does not own: the session that follows
//! (`sessions`), and how often a login may be requested (`throttle`).
//! Words: a *login* is one email with one code and one link; it is *live* until it is used, expires or was guessed at too often.
//! Invariants: a request reveals no member, neither by the answer nor by the time it takes: it writes a row and reads nothing, and the
//! queue reads whether the address belongs to a member. Code and link are derived from the login's id and the server's secret, so none is
//! stored; a guess is counted before it is compared; a login creates one session.

pub mod mail;
pub mod organizations;
pub mod routes;
pub mod rules;
pub mod secrets;
pub mod store;
