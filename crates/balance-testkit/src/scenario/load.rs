//! Reads the scenarios of a folder.
//!
//! Invariant: a file that cannot be read whole stops everything, so that no scenario is lost to a
//! slip of the pen.

use std::{collections::HashSet, fs};

use serde::Deserialize;

use super::Scenario;
use crate::shared::own_folder;

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
    let all = load_from("scenarios")?;
    for scenario in &all {
        scenario.check_pace().map_err(|why| format!("{:?}: {why}", scenario.name))?;
        if scenario.needs.is_some() {
            return Err(format!("{:?}: `needs` is for adapters only", scenario.name));
        }
    }
    Ok(all)
}

/// All scenarios that each adapter plays on its own runtime.
///
/// # Errors
/// The file, the scenario and what is wrong.
pub fn load_of_adapters() -> Result<Vec<Scenario>, String> {
    load_from("scenarios/adapters")
}

fn load_from(folder: &str) -> Result<Vec<Scenario>, String> {
    let folder = own_folder(folder);
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
    fn what_takes_long_is_for_virtual_time() {
        let slow = "[[scenario]]\nname = \"a\"\nrequest = { ask = \"chat\" }\n\
                    reply = { status = 200 }\nupstream = [{ json = \"x\", delay = \"2s\" }]";
        assert!(parse(slow).unwrap()[0].check_pace().unwrap_err().contains("in_process"));
    }

    #[test]
    fn a_slip_of_the_pen_is_told() {
        for (toml, why) in [
            ("", "scenario"),
            ("[[scenario]]\nname = \"a\"", "wanted `request`"),
            ("[[scenario]]\nname = \"a\"\nrequets = {}", "requets"),
            (
                "[[scenario]]\nname = \"a\"\nrequest = { ask = \"chat\" }\nreply = { status = 200 }\n\
                 needs = \"memory\"",
                "`needs` wants",
            ),
        ] {
            let error = parse(toml).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
