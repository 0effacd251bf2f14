//! Prints `docs/SETTINGS.md`, made from the table of settings. A program of its own, so that the door
//! itself opens while the core does not compile.
//!
//! Invariant: what the page says of a setting stands in its row.

use balance_core::settings::{ROWS, Row};

const HEAD: &str = "<!-- Made by `cargo xtask docs` from crates/balance-core/src/settings.rs. -->
# Settings

Every setting is read from the environment, then from `.env`, then from `gemini-balance.toml` (there
in lower case); the first place that has it wins. `cargo run -- --check` reads them all and says
whether they are right; `cargo run -- --help` prints this list. Files to begin with:
[.env.example](../.env.example), [gemini-balance.example.toml](../gemini-balance.example.toml).

- An empty value means \"not set\".
- A wrong value stops the start with a line that names the setting, never its value.
- The names below the first are other names of the same setting, so that a deployment of another key
  balancer moves here without edits. If several are set, the first in the list counts.

";

fn main() {
    print!("{}", page());
}

fn page() -> String {
    let rows: String = ROWS.iter().map(line).collect();
    format!("{HEAD}| Name | Value | Default | What it does |\n|---|---|---|---|\n{rows}")
}

fn line(row: &Row) -> String {
    let names: Vec<String> = row.names.iter().map(|name| format!("`{name}`")).collect();
    let default =
        if row.default.is_empty() { "not set".into() } else { format!("`{}`", row.default) };
    let secret = if row.secret { "; never shown" } else { "" };
    let value = format!("{}{secret}", row.kind);
    let cells = [names.join("<br>"), value, default, row.doc.trim().into()];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_every_setting_is_on_the_page() {
        let page = page();
        for name in ROWS.iter().flat_map(|row| row.names) {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        let row =
            Row { names: &["A", "B"], kind: "x|y", default: "", doc: " Does. ", secret: true };
        assert_eq!(line(&row), "| `A`<br>`B` | x\\|y; never shown | not set | Does. |\n");
    }
}
