//! Circles in a graph: sets of nodes that all lead to each other.

use std::collections::{BTreeMap, BTreeSet};

/// Which node leads to which others.
pub type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The strongly connected components of more than one node, by their first node.
pub fn circles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = arrows.keys().map(|node| (node, reach(arrows, node))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (node, others) in &reached {
        let returns = |other: &&&String| reached.get(**other).is_some_and(|back| back.contains(node));
        let circle: BTreeSet<String> = others.iter().filter(returns).map(|other| (*other).clone()).chain([(*node).clone()]).collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// The same graph with coarser nodes; what leads from a node to itself is left out.
pub fn coarser(arrows: &Arrows, name: impl Fn(&str) -> String) -> Arrows {
    let mut coarse = Arrows::new();
    for (from, others) in arrows {
        let node = coarse.entry(name(from)).or_default();
        node.extend(others.iter().map(|to| name(to)).filter(|to| *to != name(from)));
    }
    coarse
}

fn reach<'a>(arrows: &'a Arrows, from: &'a String) -> BTreeSet<&'a String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(node) = open.pop() {
        open.extend(arrows.get(node).into_iter().flatten().filter(|next| found.insert(*next)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(lines: &[(&str, &[&str])]) -> Arrows {
        lines.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect())).collect()
    }

    fn found(arrows: &Arrows) -> Vec<String> {
        circles(arrows).into_iter().map(|circle| circle.into_iter().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn what_leads_back_is_a_circle() {
        assert_eq!(found(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])])), ["a b c"]);
        assert_eq!(found(&graph(&[("a", &["b"]), ("b", &["a", "c"]), ("c", &["d"]), ("d", &["c"])])), ["a b", "c d"]);
    }

    #[test]
    fn a_diamond_and_a_node_that_names_itself_are_none() {
        assert_eq!(found(&graph(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])])), [""; 0]);
        assert_eq!(found(&graph(&[("a", &["a", "b"]), ("b", &["nowhere"])])), [""; 0]);
    }

    #[test]
    fn files_make_a_circle_of_folders_that_none_of_them_is_in() {
        let files = graph(&[("a/1", &["b/1"]), ("b/2", &["a/2"]), ("a/2", &[]), ("b/1", &["b/2"])]);
        assert_eq!(found(&files), [""; 0]);
        assert_eq!(found(&coarser(&files, |file| file[..1].to_owned())), ["a b"]);
    }
}
