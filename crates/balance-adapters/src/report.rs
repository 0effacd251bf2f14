//! The table of adapters and scenarios, and the closing count.
//!
//! Invariant: the count is that of the cells, and any hole makes the run fail.

use std::{process::ExitCode, time::Duration};

use balance_testkit::scenario::Scenario;

/// What came of one scenario on one runtime.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// All was as the scenario says.
    Passed,
    /// The platform lacks what it needs, and what the scenario says for that case happened.
    Instead,
    /// Not so, for this reason.
    Failed(String),
    /// It could not be run.
    Skipped,
}

/// All scenarios on one runtime.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) cells: Vec<Cell>,
    /// What it alone must show, by name.
    pub(crate) proofs: Vec<(&'static str, Cell)>,
    /// From the start to the first answer.
    pub(crate) first_answer: Option<Duration>,
}

pub(crate) struct Report {
    scenarios: Vec<String>,
    columns: Vec<Column>,
    is_ci: bool,
}

impl Report {
    pub(crate) fn new(scenarios: &[Scenario], is_ci: bool) -> Self {
        let scenarios = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
        Self { scenarios, columns: Vec::new(), is_ci }
    }

    pub(crate) fn add(&mut self, column: Column) {
        self.columns.push(column);
    }

    /// Prints the table and the count.
    pub(crate) fn conclude(&self) -> ExitCode {
        println!("\n{}", self.table());
        let Count { passed, failed, skipped } = self.count();
        println!("adapters: {passed} passed, {failed} failed, {skipped} skipped");
        if failed == 0 && passed + skipped > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn table(&self) -> String {
        let width = self.scenarios.iter().map(String::len).max().unwrap_or_default().max(24);
        let mut text = format!("{:width$}", "");
        for column in &self.columns {
            text.push_str(&format!("  {:room$}", column.name, room = column.room()));
        }
        for (row, scenario) in self.scenarios.iter().enumerate() {
            text.push_str(&format!("\n{scenario:width$}"));
            for column in &self.columns {
                let mark = column.cells.get(row).map_or("", Cell::mark);
                text.push_str(&format!("  {mark:room$}", room = column.room()));
            }
        }
        text.push_str(&format!("\n{:width$}", "from start to first answer"));
        for column in &self.columns {
            let time = column.first_answer.map(|time| format!("{} ms", time.as_millis()));
            let time = time.unwrap_or_else(|| "-".into());
            text.push_str(&format!("  {time:room$}", room = column.room()));
        }
        for column in &self.columns {
            for (name, cell) in &column.proofs {
                let name = format!("{}: {name}", column.name);
                text.push_str(&format!("\n{name:width$}  {}", cell.mark()));
            }
        }
        text.push_str(
            "\n* the platform lacks what is needed; what the scenario says for that happened\n",
        );
        text
    }

    fn count(&self) -> Count {
        let mut count = Count::default();
        for cell in self.columns.iter().flat_map(Column::all_cells) {
            match cell {
                Cell::Passed | Cell::Instead => count.passed += 1,
                Cell::Failed(_) => count.failed += 1,
                Cell::Skipped if self.is_ci => count.failed += 1,
                Cell::Skipped => count.skipped += 1,
            }
        }
        count
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Column {
    fn all_cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().chain(self.proofs.iter().map(|(_, cell)| cell))
    }

    /// How wide it is.
    fn room(&self) -> usize {
        self.name.len().max("skipped".len())
    }
}

impl Cell {
    const fn mark(&self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Instead => "ok*",
            Self::Failed(_) => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(is_ci: bool) -> Report {
        let cells = vec![Cell::Passed, Cell::Instead, Cell::Skipped];
        let column = Column {
            name: "moon",
            cells,
            proofs: Vec::new(),
            first_answer: Some(Duration::from_millis(7)),
        };
        let scenarios = ["health", "a stream", "an upload"].map(Into::into).into();
        Report { scenarios, columns: vec![column], is_ci }
    }

    #[test]
    fn in_ci_what_was_skipped_has_failed() {
        assert_eq!(report(false).count(), Count { passed: 2, failed: 0, skipped: 1 });
        assert_eq!(report(true).count(), Count { passed: 2, failed: 1, skipped: 0 });
    }

    #[test]
    fn the_table_has_a_row_for_each_scenario_and_a_column_for_each_runtime() {
        let table = report(true).table();
        let rows: Vec<_> = table.lines().map(|line| line.split_whitespace().last()).collect();
        assert_eq!(rows[..4], [Some("moon"), Some("ok"), Some("ok*"), Some("skipped")]);
        assert!(table.contains("first answer") && table.contains("7 ms"));
    }
}
