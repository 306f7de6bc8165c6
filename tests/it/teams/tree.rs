//! The tree of teams, through the API, against the simplest model of one: who is whose parent.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::world::{Company, World};

const DEPTH_MAX: usize = 8;

#[derive(Clone, Debug)]
enum Change {
    /// Below a team (None: on top).
    Create(Option<usize>),
    /// Below the newest team, so that the tree gets deep.
    Deepen,
    Move(usize, Option<usize>),
    Delete(usize),
    Merge(usize, usize),
}

/// Teams by id, with their parents.
#[derive(Default)]
struct Model {
    order: Vec<String>,
    parents: BTreeMap<String, Option<String>>,
}

impl Model {
    /// From the topmost team down to this one.
    fn path(&self, id: &str) -> Vec<String> {
        let mut path: Vec<String> =
            std::iter::successors(Some(id.to_owned()), |id| self.parents[id].clone()).take(self.parents.len() + 1).collect();
        path.reverse();
        path
    }

    fn depth(&self, id: Option<&String>) -> usize {
        id.map_or(0, |id| self.path(id).len())
    }

    fn is_at_or_below(&self, id: &str, above: &str) -> bool {
        self.path(id).iter().any(|on_the_way| on_the_way == above)
    }

    /// Teams from this one down to the deepest below it.
    fn height(&self, id: &str) -> usize {
        let below = self.order.iter().filter(|other| self.is_at_or_below(other, id));
        below.map(|other| self.depth(Some(other)) + 1 - self.depth(Some(&id.to_owned()))).max().unwrap_or(0)
    }

    fn has_children(&self, id: &str) -> bool {
        self.parents.values().any(|parent| parent.as_deref() == Some(id))
    }

    fn pick(&self, number: usize) -> Option<String> {
        if self.order.is_empty() { None } else { Some(self.order[number % self.order.len()].clone()) }
    }

    fn remove(&mut self, id: &str) {
        self.order.retain(|other| other != id);
        self.parents.remove(id);
    }
}

/// Makes the change in both, and compares what they say to it.
fn apply(company: &Company<'_>, model: &mut Model, change: &Change) {
    match change {
        Change::Create(parent) => create(company, model, parent.and_then(|number| model.pick(number))),
        Change::Deepen => create(company, model, model.order.last().cloned()),
        Change::Move(team, to) => {
            let Some(team) = model.pick(*team) else { return };
            move_to(company, model, &team, to.and_then(|number| model.pick(number)));
        }
        Change::Delete(team) => {
            let Some(team) = model.pick(*team) else { return };
            let (status, code) = if model.has_children(&team) { (409, "team_not_empty") } else { (204, "") };
            send(company, "DELETE", &format!("/v1/teams/{team}"), &Value::Null, status, code);
            if status == 204 {
                model.remove(&team);
            }
        }
        Change::Merge(team, into) => {
            let (Some(team), Some(into)) = (model.pick(*team), model.pick(*into)) else { return };
            merge(company, model, &team, &into);
        }
    }
}

fn create(company: &Company<'_>, model: &mut Model, parent: Option<String>) {
    let too_deep = model.depth(parent.as_ref()) >= DEPTH_MAX;
    let (status, code) = if too_deep { (409, "team_too_deep") } else { (201, "") };
    let made = send(company, "POST", "/v1/teams", &json!({"name": "team", "parentTeam": parent}), status, code);
    if status == 201 {
        let id = made["$id"].as_str().unwrap().to_owned();
        model.order.push(id.clone());
        model.parents.insert(id, parent);
    }
}

fn move_to(company: &Company<'_>, model: &mut Model, team: &str, to: Option<String>) {
    let stays = model.parents[team] == to;
    let (status, code) = match &to {
        _ if stays => (200, ""),
        Some(to) if model.is_at_or_below(to, team) => (409, "team_cycle"),
        _ if model.depth(to.as_ref()) + model.height(team) > DEPTH_MAX => (409, "team_too_deep"),
        _ => (200, ""),
    };
    send(company, "PATCH", &format!("/v1/teams/{team}"), &json!({"parentTeam": to}), status, code);
    if status == 200 {
        model.parents.insert(team.to_owned(), to);
    }
}

fn merge(company: &Company<'_>, model: &mut Model, team: &str, into: &str) {
    let (status, code) = if model.is_at_or_below(into, team) {
        (400, "team_cycle")
    } else if model.depth(Some(&into.to_owned())) + model.height(team) - 1 > DEPTH_MAX {
        (409, "team_too_deep")
    } else {
        (204, "")
    };
    send(company, "DELETE", &format!("/v1/teams/{team}?reassignTo={into}"), &Value::Null, status, code);
    if status == 204 {
        for parent in model.parents.values_mut().filter(|parent| parent.as_deref() == Some(team)) {
            *parent = Some(into.to_owned());
        }
        model.remove(team);
    }
}

#[track_caller]
fn send(company: &Company<'_>, method: &str, path: &str, body: &Value, status: u16, code: &str) -> Value {
    let answer = company.world.write(&company.vendor(), method, path, body);
    let found = answer.body["code"].as_str().unwrap_or_default();
    assert_eq!((answer.status, found), (status, code), "{method} {path} {body} → {}", answer.text);
    answer.body
}

fn compare(company: &Company<'_>, model: &Model) {
    let page = company.get("/v1/teams?limit=100");
    let shown: BTreeMap<String, (Value, Value, Value)> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|team| (team["$id"].as_str().unwrap().to_owned(), (team["parentTeam"].clone(), team["path"].clone(), team["depth"].clone())))
        .collect();
    let wanted = model.parents.iter().map(|(id, parent)| {
        let path = model.path(id);
        assert!(path.len() <= DEPTH_MAX, "{path:?} has no cycle and is not too deep");
        (id.clone(), (json!(parent), json!(path), json!(path.len())))
    });
    assert_eq!(shown, wanted.collect());
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => prop::option::of(0..40_usize).prop_map(Change::Create),
        4 => Just(Change::Deepen),
        5 => (0..40_usize, prop::option::weighted(0.85, 0..40_usize)).prop_map(|(team, to)| Change::Move(team, to)),
        1 => (0..40_usize).prop_map(Change::Delete),
        2 => (0..40_usize, 0..40_usize).prop_map(|(team, into)| Change::Merge(team, into)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_what_its_parents_say(changes in prop::collection::vec(change(), 10..40)) {
        let world = World::new();
        let company = world.sign_up("Acme");
        let mut model = Model::default();
        for change in &changes {
            apply(&company, &mut model, change);
            compare(&company, &model);
        }
    }
}
