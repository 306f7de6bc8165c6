//! How a process is written: facts, and the steps that follow from each.

use super::actions::Action;
use super::company::Company;
use crate::events::{Event, EventKind};

/// One step: what to do about a fact, given how the company stands.
pub struct Step {
    pub name: &'static str,
    pub run: fn(&Event, &Company) -> Vec<Action>,
}

/// What follows from one fact, in order.
pub struct Rule {
    pub when: EventKind,
    pub steps: &'static [Step],
}

/// One process of the business.
pub struct Workflow {
    pub name: &'static str,
    pub story: &'static str,
    pub rules: &'static [Rule],
}

/// Writes a process down: its name, its story in one sentence, and what happens when.
#[macro_export]
macro_rules! workflow {
    ($name:literal, $story:literal; $(when $fact:ident => [$($step:ident),* $(,)?];)*) => {
        pub const WORKFLOW: $crate::business::workflow::Workflow = $crate::business::workflow::Workflow {
            name: $name,
            story: $story,
            rules: &[$($crate::business::workflow::Rule {
                when: $crate::events::EventKind::$fact,
                steps: &[$($crate::business::workflow::Step {
                    name: stringify!($step),
                    run: |event, company| match event {
                        $crate::events::Event::$fact(fact) => $step(fact, company),
                        // The table above is the only caller and passes facts of this kind only.
                        _ => Vec::new(),
                    },
                }),*],
            }),*],
        };
    };
}
