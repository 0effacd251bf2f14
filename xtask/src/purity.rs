//! The pure crates depend on what their `deps.txt` lists, and on nothing else.
//!
//! Invariant: the list holds names without versions, sorted, so that only a new or a lost dependency
//! changes it.

use std::{collections::BTreeSet, fs};

use crate::{
    process::{capture, cargo, root},
    tally::{Failure, Outcome, Tally},
};

/// The crates that may know no clock, socket, runtime or environment.
pub(crate) const PURE: [&str; 2] = ["balance-dialect", "balance-core"];

/// With `--write` the lists are written anew.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let write = match arguments {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => return Err(Failure::new("`purity` takes `--write` or nothing")),
    };
    let mut complaints = Vec::new();
    for package in PURE {
        let found = dependencies(package)?;
        let place = format!("crates/{package}/deps.txt");
        if write {
            let text: String = found.iter().map(|name| format!("{name}\n")).collect();
            fs::write(root().join(&place), text)
                .map_err(|error| Failure::new(format!("{place}: {error}")))?;
            println!("{place}: {} dependencies", found.len());
            continue;
        }
        let text = fs::read_to_string(root().join(&place)).unwrap_or_default();
        let listed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
        complaints.extend(found.difference(&listed).map(|name| format!("{place}: {name} is new")));
        complaints.extend(listed.difference(&found).map(|name| format!("{place}: {name} is gone")));
    }
    if complaints.is_empty() {
        return Ok(Tally::PASSED);
    }
    let list = complaints.join("\n  ");
    Err(Failure::new(format!(
        "dependencies of the pure crates changed:\n  {list}\nif that is meant, `cargo xtask purity --write` keeps it"
    )))
}

/// The names of all that the crate is built from, build tools of its own build excepted.
fn dependencies(package: &str) -> Result<BTreeSet<String>, Failure> {
    let tree = capture(&mut cargo([
        "tree",
        "--package",
        package,
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]))?;
    Ok(names(&tree, package))
}

fn names(tree: &str, package: &str) -> BTreeSet<String> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_repetitions_and_the_crate_itself_leave_no_trace() {
        let tree = "core v0.1.0 (/x/core)\nserde v1.0.2\nbytes v1.12.1\nserde v1.0.2 (*)\n\n";
        let expected = BTreeSet::from(["bytes".to_owned(), "serde".to_owned()]);
        assert_eq!(names(tree, "core"), expected);
    }
}
