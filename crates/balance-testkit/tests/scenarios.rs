//! The scenarios of the repository, in process.

#![cfg(test)]

use balance_testkit::{in_process, scenario, shared};

#[test]
fn every_scenario_holds_in_process() {
    let scenarios = scenario::load().unwrap();
    let failures: Vec<_> = scenarios
        .iter()
        .filter_map(|scenario| Some((&scenario.name, in_process::play(scenario).err()?)))
        .map(|(name, why)| format!("FAILED  {name}\n{why}\n"))
        .collect();
    shared::tell(&format!(
        "{} scenarios played in process, {} failed",
        scenarios.len(),
        failures.len()
    ));
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(scenarios.len() >= 40, "the scenarios are not where they should be");
}
