//! How often is too often.

use std::time::Duration;

use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, hours, minutes};

/// `count` requests at once, all of which come back within `window`, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub count: u32,
    pub window: Duration,
}

/// The quotas of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub address: Quota,
    pub target: Quota,
}

/// An endpoint as a type, for the argument lists of handlers: `Public<at::Login>`.
pub trait Throttled: Send + Sync {
    const ENDPOINT: Endpoint;
}

macro_rules! endpoints {
    ($($name:ident = $wire:literal;)*) => {
        /// The endpoints that are throttled.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Endpoint { $($name),* }

        impl Endpoint {
            pub const ALL: &'static [Endpoint] = &[$(Endpoint::$name),*];

            /// Part of the buckets' keys.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $wire),* }
            }
        }

        /// Each endpoint as a type.
        pub mod at {
            use crate::identity::throttle::quotas::{Endpoint, Throttled};

            $(pub struct $name; impl Throttled for $name { const ENDPOINT: Endpoint = Endpoint::$name; })*
        }
    };
}

endpoints! {
    SignUp = "sign-up";
    Login = "login";
    Session = "session";
    Refreshment = "refreshment";
    SecondFactor = "second-factor";
    Invitation = "invitation";
    Token = "token";
}

/// Whose bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Address,
    Target,
}

/// A developer's tools and tests all come from one address.
pub const LOCAL_FACTOR: u32 = 1_000;

const fn quota(count: u32, window: Duration) -> Quota {
    Quota { count, window }
}

impl Endpoint {
    /// An office of hundreds may share one address, so those are wide; what protects a person is the target's.
    pub const fn policy(self) -> Policy {
        match self {
            Self::SignUp => Policy { address: quota(20, hours(1)), target: quota(3, hours(1)) },
            // Each is a mail to somebody who may not have asked for it.
            Self::Login => Policy { address: quota(60, hours(1)), target: quota(5, hours(1)) },
            // Each is a guess among a million codes.
            Self::Session => Policy { address: quota(100, hours(1)), target: quota(10, hours(1)) },
            Self::Refreshment => Policy { address: quota(600, minutes(10)), target: quota(30, minutes(10)) },
            Self::SecondFactor => Policy { address: quota(100, hours(1)), target: quota(10, hours(1)) },
            Self::Invitation => Policy { address: quota(60, hours(1)), target: quota(20, hours(1)) },
            Self::Token => Policy { address: quota(600, minutes(10)), target: quota(120, minutes(10)) },
        }
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Target => "target",
        }
    }
}

impl Quota {
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self { count: self.count.saturating_mul(factor), ..self }
    }

    /// Milliseconds in which one request comes back.
    pub fn interval(self) -> i64 {
        let window = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        window.checked_div(i64::from(self.count)).unwrap_or(window).max(1)
    }

    /// The latest time at which a bucket that admits one more request may be full.
    pub fn horizon(self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_add(self.interval().saturating_mul(i64::from(self.count))))
    }
}

/// Where a bucket stands after a request, for the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    pub kind: Kind,
    pub quota: Quota,
    /// When the bucket will be full again.
    pub full_at: Timestamp,
    pub now: Timestamp,
}

impl Admission {
    /// Requests that are left.
    fn left(&self) -> i64 {
        let missing = self.full_at.as_millis().saturating_sub(self.now.as_millis()).max(0);
        let free = self.quota.interval().saturating_mul(i64::from(self.quota.count)).saturating_sub(missing);
        free.max(0).checked_div(self.quota.interval()).unwrap_or(0)
    }

    /// `RateLimit-Policy` and `RateLimit`.
    pub fn headers(&self) -> [(&'static str, String); 2] {
        let (name, Quota { count, window }) = (self.kind.name(), self.quota);
        let full_in = seconds_up(self.full_at.as_millis().saturating_sub(self.now.as_millis()));
        [
            ("RateLimit-Policy", format!("\"{name}\";q={count};w={}", window.as_secs())),
            ("RateLimit", format!("\"{name}\";r={};t={full_in}", self.left())),
        ]
    }

    /// 429, for a bucket that has nothing left.
    pub fn refusal(&self) -> Problem {
        let free_at = self.full_at.as_millis().saturating_add(self.quota.interval());
        let wait = seconds_up(free_at.saturating_sub(self.quota.horizon(self.now).as_millis())).max(1);
        let of = match self.kind {
            Kind::Address => "from this address",
            Kind::Target => "about this email or object",
        };
        let detail = format!("Too many requests {of}. Wait {wait} seconds, then send it again.");
        let problem = Problem::new(429, "rate_limited", "Too many requests", detail).with_header("Retry-After", wait.to_string());
        self.headers().into_iter().fold(problem, |problem, (name, value)| problem.with_header(name, value))
    }
}

/// Milliseconds as whole seconds, rounded up.
fn seconds_up(millis: i64) -> i64 {
    millis.max(0).saturating_add(999).checked_div(1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_is_left_and_when_to_come_back() {
        let now = Timestamp::from_millis(1_000_000);
        let at = |full_in: i64| Admission {
            kind: Kind::Address,
            quota: quota(10, minutes(10)),
            full_at: Timestamp::from_millis(1_000_000 + full_in),
            now,
        };
        let shown = |admission: Admission| admission.headers().map(|(_, value)| value);
        assert_eq!(shown(at(60_000)), ["\"address\";q=10;w=600".to_owned(), "\"address\";r=9;t=60".to_owned()]);
        assert_eq!(shown(at(600_000))[1], "\"address\";r=0;t=600");
        assert_eq!(shown(at(0))[1], "\"address\";r=10;t=0");
        let refusal = at(590_500).refusal();
        assert_eq!(refusal.headers[0], ("Retry-After", "51".to_owned()), "{refusal:?}");
        assert_eq!(at(600_000).refusal().headers[0], ("Retry-After", "60".to_owned()));
    }

    #[test]
    fn every_policy_admits_something_and_not_everything() {
        for endpoint in Endpoint::ALL {
            let Policy { address, target } = endpoint.policy();
            assert!(target.count > 0 && target.count <= address.count, "{}", endpoint.name());
            assert!(target.interval() > 1 && address.times(LOCAL_FACTOR).interval() >= 1, "{}", endpoint.name());
        }
    }
}
