//! Members: who belongs to an organization.
//!
//! Owns: members, their profiles and organization-wide roles, the directory's index of memberships, and how many seats are taken.
//! Does not own: how people come in (`invitations`), what a role permits (`roles`), teams (`teams`), logins (`sessions`), the
//! removal of a member (`removals`), what follows when a person joins or leaves (`business/people.rs`).
//! Words: a *person* is one human with one email, the same in every organization; a *member* is a person in one organization, with the
//! profile and the roles they have there; a *seat* is one of the plan's `users`, *taken* by a member or *held* for an invitation.
//! Invariants: there is always somebody who owns an organization that had an owner; nobody changes or removes somebody who holds more than
//! they do; a member, their seat and their roles come and go in one commit; the Meter's `users` are the members (see decision 22).

pub mod directory;
pub mod member;
pub mod role_store;
pub mod routes;
pub mod rules;
pub mod seat_store;
pub mod seats;
pub mod store;
pub mod wire;
