//! What a comparison found, as data: medians over the rounds, and their ratios to nginx.
//!
//! Invariant: figures are compared only within one row, where all targets did the same work in
//! turn in the same run.

use serde::Serialize;

use crate::statistics::median;

use super::fleet::{Cores, Target};

/// Everything that one run found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How the programs shared the machine.
    pub cores: Cores,
    /// Programs that were running on the machine before the first was started here, averaged over
    /// a minute. Above a half, the machine is not ours and absolute figures are not to be trusted.
    pub load_average_before: f64,
    /// How often each cell was measured; every figure is the median.
    pub rounds: usize,
    /// Closed-loop load.
    pub load: Vec<Row<LoadFigures>>,
    /// Streams at a known pace.
    pub streams: Vec<Row<StreamFigures>>,
}

/// One kind of work, done by all targets in turn.
#[derive(Debug, Serialize)]
pub struct Row<F> {
    /// Which requests.
    pub workload: &'static str,
    /// How many connections, or streams, at once.
    pub connections: usize,
    /// One for each target, in their order.
    pub cells: Vec<Cell<F>>,
}

/// What one target did on a row.
#[derive(Debug, Serialize)]
pub struct Cell<F> {
    /// Who.
    pub target: Target,
    /// The medians; absent when the target failed.
    pub figures: Option<F>,
    /// Each figure divided by nginx's.
    pub to_nginx: Option<F>,
    /// The first thing that went wrong.
    pub error: Option<String>,
}

/// What can be told about a target under load.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LoadFigures {
    /// Answers a second, all connections together.
    pub requests_per_second: f64,
    /// Median time to the last byte, in microseconds.
    pub p50_us: f64,
    /// The time to the last byte that one request in a hundred exceeds, in microseconds.
    pub p99_us: f64,
    /// Median time to the first byte of the body, in microseconds.
    pub first_byte_us: f64,
    /// CPU time that the target spent on one request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Memory at the end of the load, in mebibytes.
    pub resident_mib: f64,
    /// The share of its core that the target used: where it is well below 1, the load side or
    /// another program was the limit, and only the CPU time tells what the target could do.
    pub busy: f64,
}

/// What can be told about a target that passes paced streams on.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StreamFigures {
    /// Events a second, all streams together.
    pub events_per_second: f64,
    /// Median lateness of an event, in microseconds.
    pub late_p50_us: f64,
    /// The lateness that one event in a hundred exceeds, in microseconds.
    pub late_p99_us: f64,
    /// CPU time that the target spent on one event, in microseconds.
    pub cpu_us_per_event: f64,
    /// The share of its core that the target used.
    pub busy: f64,
    /// Memory at the end, in mebibytes.
    pub resident_mib: f64,
}

/// Figures of one kind, field by field.
pub trait Figures: Copy {
    /// Heading and value of each figure, in the order of the table.
    fn columns(&self) -> Vec<(&'static str, f64)>;
    /// Figures whose every field is made from the same field of several.
    fn combine(several: &[Self], combine: impl Fn(&mut [f64]) -> f64) -> Self;
}

macro_rules! figures {
    ($kind:ident { $($field:ident: $heading:literal),+ $(,)? }) => {
        impl Figures for $kind {
            fn columns(&self) -> Vec<(&'static str, f64)> {
                vec![$(($heading, self.$field)),+]
            }

            fn combine(several: &[Self], combine: impl Fn(&mut [f64]) -> f64) -> Self {
                Self { $($field: combine(&mut several.iter().map(|one| one.$field).collect::<Vec<f64>>())),+ }
            }
        }
    };
}

figures!(LoadFigures {
    requests_per_second: "req/s",
    p50_us: "p50 µs",
    p99_us: "p99 µs",
    first_byte_us: "first µs",
    cpu_us_per_request: "cpu µs/req",
    resident_mib: "MiB",
    busy: "busy",
});

figures!(StreamFigures {
    events_per_second: "events/s",
    late_p50_us: "late p50 µs",
    late_p99_us: "late p99 µs",
    cpu_us_per_event: "cpu µs/event",
    resident_mib: "MiB",
    busy: "busy",
});

impl<F: Figures> Row<F> {
    /// From what each target measured in each round, or why it failed.
    pub(super) fn new(
        workload: &'static str,
        connections: usize,
        rounds: Vec<(Target, Result<Vec<F>, String>)>,
    ) -> Self {
        let mut cells: Vec<Cell<F>> = rounds.into_iter().map(Cell::new).collect();
        let nginx =
            cells.iter().find(|cell| cell.target == Target::Nginx).and_then(|cell| cell.figures);
        for cell in &mut cells {
            cell.to_nginx =
                cell.figures.zip(nginx).map(|(own, nginx)| F::combine(&[own, nginx], ratio));
        }
        Self { workload, connections, cells }
    }
}

impl<F: Figures> Cell<F> {
    fn new((target, rounds): (Target, Result<Vec<F>, String>)) -> Self {
        let (figures, error) = match rounds {
            Ok(rounds) => {
                (Some(F::combine(&rounds, |values| median(values).unwrap_or_default())), None)
            }
            Err(error) => (None, Some(error)),
        };
        Self { target, figures, to_nginx: None, error }
    }
}

fn ratio(pair: &mut [f64]) -> f64 {
    match pair {
        [own, nginx] if *nginx > 0.0 => *own / *nginx,
        _ => f64::NAN, // JSON's null: nothing to compare with
    }
}

impl Report {
    /// Whether every target did all its work.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let load = self.load.iter().flat_map(|row| &row.cells).all(|cell| cell.error.is_none());
        load && self.streams.iter().flat_map(|row| &row.cells).all(|cell| cell.error.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(events_per_second: f64) -> StreamFigures {
        StreamFigures {
            events_per_second,
            late_p50_us: 0.0,
            late_p99_us: 300.0,
            cpu_us_per_event: 4.0,
            busy: 0.5,
            resident_mib: 10.0,
        }
    }

    fn row() -> Row<StreamFigures> {
        let rounds = vec![
            (Target::Nginx, Ok(vec![figures(100.0), figures(900.0), figures(200.0)])),
            (Target::Server, Ok(vec![figures(150.0), figures(160.0), figures(1.0)])),
            (Target::Mock, Err("an answer had status 500".to_owned())),
        ];
        Row::new("native SSE", 20, rounds)
    }

    #[test]
    fn medians_are_compared_with_the_median_of_nginx() {
        let row = row();
        let server = row.cells[1].to_nginx.unwrap();
        assert!((server.events_per_second - 150.0 / 200.0).abs() < 1e-9, "{server:?}");
        assert!(server.late_p50_us.is_nan(), "nothing can be compared with zero");
    }

    #[test]
    fn a_target_that_failed_has_a_reason_instead_of_figures() {
        let cores = Cores { measured: 0, load: 1, mock: 1 };
        let report = Report {
            cores,
            load_average_before: 3.0,
            rounds: 3,
            load: vec![],
            streams: vec![row()],
        };
        assert!(!report.is_whole());
        let table = report.to_string();
        assert!(table.contains("the machine was busy"), "{table}");
        assert!(table.contains("mock alone      FAILED: an answer had status 500"), "{table}");
        let json = serde_json::to_value(&report).unwrap();
        let cell = &json["streams"][0]["cells"][2];
        assert_eq!(cell["target"], "mock");
        assert!(cell["figures"].is_null(), "{cell}");
    }
}
