//! People logging in: from the mail to the session and its end, with everything that must not work, and what happens at the same time.

mod support;

#[path = "api/check.rs"]
mod check;
#[path = "api/document.rs"]
mod document;
#[path = "logins/people.rs"]
mod people;

#[path = "logins/codes.rs"]
mod codes;
#[path = "logins/refreshing.rs"]
mod refreshing;
#[path = "logins/second_factors.rs"]
mod second_factors;
#[path = "logins/sessions.rs"]
mod sessions;
#[path = "logins/sign_up.rs"]
mod sign_up;
#[path = "logins/throttle.rs"]
mod throttle;
