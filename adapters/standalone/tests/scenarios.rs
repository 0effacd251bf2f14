//! The scenarios of the repository, over HTTP: the program in front of the fake Gemini API.

#![cfg(test)]

use std::path::Path;

use balance_testkit::{over_http, scenario, shared};

#[tokio::test]
async fn every_scenario_holds_over_http() {
    let program = Path::new(env!("CARGO_BIN_EXE_gemini-balance"));
    let all = scenario::load().unwrap();
    let scenarios: Vec<_> = all.iter().filter(|scenario| !scenario.in_process).collect();
    let mut failures = Vec::new();
    for scenario in &scenarios {
        if let Err(why) = over_http::play(scenario, program).await {
            failures.push(format!("FAILED  {}\n{why}\n", scenario.name));
        }
    }
    let slow = all.len() - scenarios.len();
    shared::tell(&format!(
        "{} scenarios played over HTTP, {} failed; {slow} more need virtual time",
        scenarios.len(),
        failures.len()
    ));
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(scenarios.len() >= 40, "the scenarios are not where they should be");
}
