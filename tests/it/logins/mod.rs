//! People logging in: from the mail to the session and its end, with everything that must not work, and what happens at the same time.

mod people;

mod codes;
mod refreshing;
mod second_factors;
mod sessions;
mod sign_up;
mod throttle;
