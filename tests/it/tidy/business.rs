//! The business's tables: complete, without doubles, and the same as what Cloudflare is told.

use std::collections::BTreeSet;

use tenantry::business::{SILENT, WORKFLOWS};
use tenantry::events::EventKind;
use tenantry::jobs::calendar::CALENDAR;

use super::none;
use super::source::file;

#[test]
fn every_fact_is_handled_or_silent_on_purpose() {
    let is_handled = |kind: EventKind| WORKFLOWS.iter().any(|workflow| workflow.rules.iter().any(|rule| rule.when == kind));
    let is_silent = |kind: EventKind| SILENT.iter().any(|(silent, _)| *silent == kind);
    none(EventKind::ALL.iter().filter_map(|kind| match (is_handled(*kind), is_silent(*kind)) {
        (false, false) => {
            Some(format!("nothing follows from {kind:?}: handle it in a workflow of src/business, or list it in SILENT with the reason"))
        }
        (true, true) => Some(format!("{kind:?} is handled and SILENT: take it out of SILENT")),
        _ => None,
    }));
    none(doubles(SILENT.iter().map(|(kind, _)| kind.wire_name())).map(|name| format!("{name} is twice in SILENT: keep one")));
    none(SILENT.iter().filter(|(_, reason)| reason.len() < 10).map(|(kind, _)| format!("{kind:?} is SILENT without a reason: say why")));
}

#[test]
fn names_that_are_stored_are_unique() {
    none(
        doubles(EventKind::ALL.iter().map(|kind| kind.wire_name()))
            .map(|name| format!("two facts are called {name}: rename the new one in src/events.rs")),
    );
    none(
        doubles(WORKFLOWS.iter().map(|workflow| workflow.name)).map(|name| format!("two workflows are called {name}: rename the new one")),
    );
    for workflow in WORKFLOWS {
        let steps = workflow.rules.iter().flat_map(|rule| rule.steps.iter().map(|step| step.name));
        none(
            doubles(steps)
                .map(|step| format!("{} has two steps called {step}: runs are claimed by this name, so rename the new one", workflow.name)),
        );
    }
}

#[test]
fn every_rule_does_something() {
    let rules = WORKFLOWS.iter().flat_map(|workflow| workflow.rules.iter().map(move |rule| (workflow.name, rule)));
    none(
        rules
            .filter(|(_, rule)| rule.steps.is_empty())
            .map(|(name, rule)| format!("{name}: nothing follows from {:?}; remove the line or list it in SILENT", rule.when)),
    );
    let twice = WORKFLOWS
        .iter()
        .flat_map(|workflow| doubles(workflow.rules.iter().map(|rule| rule.when.wire_name())).map(move |fact| (workflow.name, fact)));
    none(twice.map(|(name, fact)| format!("{name} has two lines for {fact}: make them one")));
}

#[test]
fn cloudflare_rings_when_the_calendar_says() {
    let text = file("wrangler.toml").text;
    let crons = text.split_once("crons = [").expect("wrangler.toml has crons").1.split_once("\n]").expect("one a line").0;
    let mut rung: Vec<&str> = crons.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
    let mut written: Vec<&str> = CALENDAR.iter().map(|entry| entry.cron).collect();
    rung.sort_unstable();
    written.sort_unstable();
    assert_eq!(rung, written, "left: wrangler.toml; right: src/jobs/calendar.rs. Write the same crons in both");
    none(doubles(written.into_iter()).map(|cron| format!("the calendar has two lines for {cron}: make them one")));
}

fn doubles<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = BTreeSet::new();
    names.filter(move |name| !seen.insert(*name))
}
