//! No file over 600 lines and no function over 80, but for those that `sizes.toml` excuses by name.
//!
//! Invariant: an excuse states why, and one that is no longer needed is a failure too.

mod functions;

use std::{collections::BTreeMap, fs};

use crate::{
    process::{checkout_files, root},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
};

const MAX_FILE_LINES: usize = 600;
const MAX_FUNCTION_LINES: usize = 80;
const EXCUSES: &str = "sizes.toml";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("sizes", arguments)?;
    let text = fs::read_to_string(root().join(EXCUSES))
        .map_err(|error| Failure::new(format!("{EXCUSES} at the root of the checkout: {error}")))?;
    let mut excuses = excuses(&text)?;
    let mut complaints = Vec::new();
    for path in checkout_files("*.rs")? {
        let source = fs::read_to_string(root().join(&path))
            .map_err(|error| Failure::new(format!("{path}: {error}")))?;
        let oversized = oversized(&path, &source);
        complaints
            .extend(oversized.into_iter().filter(|(place, _)| excuses.remove(place).is_none()));
    }
    let mut lines: Vec<String> =
        complaints.iter().map(|(place, lines)| format!("{place} has {lines} lines")).collect();
    lines.extend(
        excuses.keys().map(|place| format!("{place} is excused in {EXCUSES} and needs no excuse")),
    );
    if lines.is_empty() {
        return Ok(Tally::PASSED);
    }
    Err(Failure::new(format!(
        "a file may have {MAX_FILE_LINES} lines, a function {MAX_FUNCTION_LINES}:\n  {}\nsplit it, or say in {EXCUSES} why it is one piece",
        lines.join("\n  ")
    )))
}

/// What is too long in one file: the file by its path, a function as `path::name`, with its lines.
fn oversized(path: &str, source: &str) -> Vec<(String, usize)> {
    let lines = source.lines().count();
    let file = (lines > MAX_FILE_LINES).then(|| (path.to_owned(), lines));
    let long =
        functions::lengths(source).into_iter().filter(|(_, lines)| *lines > MAX_FUNCTION_LINES);
    file.into_iter().chain(long.map(|(name, lines)| (format!("{path}::{name}"), lines))).collect()
}

/// Reads `"path" = "why"` and `"path::function" = "why"`, the only lines that `sizes.toml` has.
fn excuses(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let entry =
            line.split_once('=').and_then(|(place, why)| Some((quoted(place)?, quoted(why)?)));
        let Some((place, why)) = entry else {
            return Err(Failure::new(format!(
                "{EXCUSES}:{}: expected `\"path\" = \"why it is one piece\"`",
                index + 1
            )));
        };
        found.insert(place, why);
    }
    Ok(found)
}

fn quoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?.trim();
    (!inner.is_empty()).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_and_a_long_function_are_both_named() {
        let source = format!("fn short() {{}}\nfn long() {{\n{}}}\n", "    step();\n".repeat(600));
        let expected = vec![("a.rs".to_owned(), 603), ("a.rs::long".to_owned(), 602)];
        assert_eq!(oversized("a.rs", &source), expected);
    }

    #[test]
    fn an_excuse_without_a_reason_is_refused_with_its_line() {
        let failure = excuses("# table\n\"a.rs\" = \"one table\"\n\"b.rs\" = \"\"\n").unwrap_err();
        assert!(failure.to_string().starts_with("sizes.toml:3:"), "{failure}");
    }
}
