//! Reads the scenarios of a folder.
//!
//! Invariant: a file that cannot be read whole stops everything, so that no scenario is lost to a
//! slip of the pen.

use std::{collections::HashSet, fs, path::Path};

use serde::Deserialize;

use super::Scenario;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

/// All scenarios of the repository, in the order of their files.
///
/// # Errors
/// The file, the scenario and what is wrong.
pub fn load() -> Result<Vec<Scenario>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| error.to_string());
        let scenarios = text.and_then(|text| parse(&text));
        all.extend(scenarios.map_err(|why| format!("{}: {why}", file.display()))?);
    }
    let mut names = HashSet::new();
    match all.iter().find(|scenario| !names.insert(scenario.name.as_str())) {
        Some(twin) => Err(format!("two scenarios are named {:?}", twin.name)),
        None => Ok(all),
    }
}

fn parse(text: &str) -> Result<Vec<Scenario>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    for scenario in &file.scenario {
        scenario.check().map_err(|why| format!("{:?}: {why}", scenario.name))?;
    }
    Ok(file.scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_told() {
        for (toml, why) in [
            ("", "scenario"),
            ("[[scenario]]\nname = \"a\"", "wanted `request`"),
            ("[[scenario]]\nname = \"a\"\nrequets = {}", "requets"),
            (
                "[[scenario]]\nname = \"a\"\nrequest = { ask = \"chat\" }\nreply = { status = 200 }\n\
                 upstream = [{ json = \"x\", delay = \"2s\" }]",
                "in_process",
            ),
        ] {
            let error = parse(toml).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
