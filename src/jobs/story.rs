//! Generates `docs/BUSINESS.md` from the workflows and the calendar.

use crate::business::{SILENT, WORKFLOWS};
use crate::jobs::calendar::CALENDAR;

/// The text of `docs/BUSINESS.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# What happens when\n\nGenerated from `src/business/` by `UPDATE=1 cargo test --test it drift`; a test keeps it true.\n",
    );
    for workflow in WORKFLOWS {
        text.push_str(&format!("\n## {}\n\n{}\n\n| when | then |\n|---|---|\n", title(workflow.name), workflow.story));
        for rule in workflow.rules {
            let steps: Vec<String> = rule.steps.iter().map(|step| step.name.replace('_', " ")).collect();
            text.push_str(&format!("| `{}` | {} |\n", rule.when.wire_name(), steps.join(", then ")));
        }
    }
    text.push_str("\n## Facts without steps\n\n| when | reason |\n|---|---|\n");
    for (kind, reason) in SILENT {
        text.push_str(&format!("| `{}` | {reason} |\n", kind.wire_name()));
    }
    text.push_str("\n## The calendar\n\n| when | then |\n|---|---|\n");
    for entry in CALENDAR {
        let tasks: Vec<&str> = entry.tasks.iter().map(|task| task.name).collect();
        text.push_str(&format!("| {} (`{}`) | {} |\n", entry.when, entry.cron, tasks.join("; ")));
    }
    text
}

fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
