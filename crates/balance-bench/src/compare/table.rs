//! The report as a table for people: each figure, and behind it its ratio to nginx.
//!
//! Invariant: nothing is computed here.

use std::fmt::{self, Write as _};

use super::report::{Cell, Figures, Report, Row};

const NOTE: &str = "In brackets: the ratio to nginx. `busy`: the share of its core that a target used; where it is well below 1
something else was the limit, and cpu per request tells more than req/s. nginx and the mock cannot translate:
on the OpenAI rows they do the equivalent native request. `late`: by the timetable that the earliest event
of a stream sets.";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = self.cores;
        writeln!(
            f,
            "nginx and gemini-balance on core {} in turn, load on core {}, mock on core {}; medians of {} rounds\n",
            cores.measured, cores.load, cores.mock, self.rounds
        )?;
        if self.load_average_before > 0.5 {
            let load = self.load_average_before;
            writeln!(
                f,
                "Careful: the machine was busy with other things, its load average {load:.1}.\n"
            )?;
        }
        for row in &self.load {
            write_row(f, row, if row.connections == 1 { "connection" } else { "connections" })?;
        }
        for row in &self.streams {
            write_row(f, row, "streams of 50 events a second")?;
        }
        f.write_str(NOTE)
    }
}

fn write_row<F: Figures>(f: &mut fmt::Formatter<'_>, row: &Row<F>, unit: &str) -> fmt::Result {
    let title = format!("{}, {} {unit}", row.workload, row.connections);
    if let Some(figures) = row.cells.iter().find_map(|cell| cell.figures) {
        let headings = figures.columns().iter().fold(String::new(), |mut line, (heading, _)| {
            _ = write!(line, "{heading:>18}");
            line
        });
        writeln!(f, "{title}\n{:<16}{headings}", "")?;
    } else {
        writeln!(f, "{title}")?;
    }
    for cell in &row.cells {
        writeln!(f, "  {:<14}{}", cell.target.name(), values(cell))?;
    }
    writeln!(f)
}

fn values<F: Figures>(cell: &Cell<F>) -> String {
    let (Some(figures), Some(ratios)) = (cell.figures, cell.to_nginx.or(cell.figures)) else {
        return format!("  FAILED: {}", cell.error.as_deref().unwrap_or("no figures"));
    };
    let with_ratio = cell.to_nginx.is_some();
    figures.columns().iter().zip(ratios.columns()).fold(
        String::new(),
        |mut line, ((_, value), (_, ratio))| {
            let ratio = if with_ratio { format!("({ratio:.2})") } else { String::new() };
            let decimals = if *value < 10.0 {
                2
            } else if *value < 1000.0 {
                1
            } else {
                0
            };
            _ = write!(line, "{:>18}", format!("{value:.decimals$} {ratio:>7}"));
            line
        },
    )
}
