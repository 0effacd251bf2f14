//! The same work through the mock alone, nginx and the server, in turn, in one run.
//!
//! Invariant: a round visits every target before the next round begins, so that a machine which
//! gets slower or faster on the way does so for all of them; figures are medians over the rounds.

mod fleet;
mod nginx;
mod process;
mod report;
mod table;
mod train;
mod workload;

use std::{cell::Cell as Shared, io, time::Duration};

use crate::{load::Load, paced::Streams, statistics::percentile};

use fleet::{Fleet, Upstream};
use process::Usage;
use workload::{PACED, WORKLOADS, Workload};

pub use fleet::{Cores, Programs, Target};
pub use report::{Cell, Figures, LoadFigures, Report, Row, StreamFigures};
pub use train::train;

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How often each cell is measured.
    pub rounds: usize,
    /// How long one measurement lasts.
    pub duration: Duration,
    /// Numbers of connections, a row each.
    pub connections: Vec<usize>,
    /// Events in each answer that is a stream.
    pub events: usize,
    /// Paced streams at once.
    pub streams: usize,
    /// Events in each paced stream.
    pub paced_events: usize,
}

impl Plan {
    /// Enough for figures to be compared with others of the same machine. Many short rounds, as a machine
    /// that is not alone on its host changes its speed by a quarter within a second or two.
    #[must_use]
    pub fn full() -> Self {
        Self {
            rounds: 21,
            duration: Duration::from_millis(300),
            connections: vec![1, 64],
            events: 32,
            streams: 100,
            paced_events: 150,
        }
    }

    /// Enough to see that everything works.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            rounds: 1,
            duration: Duration::from_millis(300),
            streams: 20,
            paced_events: 25,
            ..Self::full()
        }
    }
}

/// Events of a paced stream are this far apart: 50 a second.
const PERIOD: Duration = Duration::from_millis(20);

/// Pins this process, starts the three programs and measures; they end with this call, also when
/// it is dropped half-way.
///
/// # Errors
/// When the machine has too few cores or a program does not start. A target that answers wrongly
/// is no error: its cell says so.
pub async fn compare(programs: &Programs, plan: &Plan) -> anyhow::Result<Report> {
    let cores = Cores::of_this_machine()?;
    process::pin_self(cores.load)?;
    let mut report = Report {
        cores,
        load_average_before: process::load_average()?,
        rounds: plan.rounds,
        load: Vec::new(),
        streams: Vec::new(),
    };
    let fleet = Fleet::start(programs, cores, Upstream::Burst { events: plan.events }).await?;
    for workload in WORKLOADS {
        for &connections in &plan.connections {
            eprintln!("bench: {}, {connections} connections", workload.name);
            report.load.push(load_row(&fleet, plan, workload, connections).await);
        }
    }
    drop(fleet);
    let upstream = Upstream::Paced { events: plan.paced_events, period: PERIOD };
    let fleet = Fleet::start(programs, cores, upstream).await?;
    eprintln!("bench: {}, {} paced streams", PACED.name, plan.streams);
    report.streams.push(stream_row(&fleet, plan).await);
    Ok(report)
}

async fn load_row(
    fleet: &Fleet,
    plan: &Plan,
    workload: Workload,
    connections: usize,
) -> Row<LoadFigures> {
    let mut rounds = Target::ALL.map(|target| (target, Ok(Vec::new())));
    for _ in 0..plan.rounds {
        for (target, figures) in &mut rounds {
            record(figures, load_once(fleet, plan, workload, connections, *target).await);
        }
    }
    Row::new(workload.name, connections, rounds.into())
}

async fn stream_row(fleet: &Fleet, plan: &Plan) -> Row<StreamFigures> {
    let mut rounds = Target::ALL.map(|target| (target, Ok(Vec::new())));
    for _ in 0..plan.rounds.min(3) {
        for (target, figures) in &mut rounds {
            record(figures, stream_once(fleet, plan, *target).await);
        }
    }
    Row::new(PACED.name, plan.streams, rounds.into())
}

/// Adds a round's figures; the first failure takes the place of all of them.
fn record<F>(figures: &mut Result<Vec<F>, String>, round: anyhow::Result<F>) {
    match (figures.as_mut(), round) {
        (Ok(list), Ok(one)) => list.push(one),
        (Ok(_), Err(error)) => *figures = Err(format!("{error:#}")),
        (Err(_), _) => {}
    }
}

async fn load_once(
    fleet: &Fleet,
    plan: &Plan,
    workload: Workload,
    connections: usize,
    target: Target,
) -> anyhow::Result<LoadFigures> {
    let address = fleet.address(target);
    let request = workload.request(target, address, fleet.credential(target));
    let body_bytes = workload.probe(target, address, &request).await?;
    let load = Load { address, request, body_bytes, connections, duration: plan.duration };
    let meter = Meter::of(fleet, target);
    let mut sample = load.run(|| meter.start(), || meter.stop()).await?;
    let Usage { cpu, resident_bytes } = meter.read()?;
    let requests = count(sample.whole.len());
    Ok(LoadFigures {
        requests_per_second: requests / sample.elapsed.as_secs_f64(),
        p50_us: micros(percentile(&mut sample.whole, 0.5)),
        p99_us: micros(percentile(&mut sample.whole, 0.99)),
        first_byte_us: micros(percentile(&mut sample.first, 0.5)),
        cpu_us_per_request: micros(cpu) / requests,
        resident_mib: mebibytes(resident_bytes),
        busy: cpu.as_secs_f64() / sample.elapsed.as_secs_f64(),
    })
}

async fn stream_once(fleet: &Fleet, plan: &Plan, target: Target) -> anyhow::Result<StreamFigures> {
    let address = fleet.address(target);
    let request = PACED.request(target, address, fleet.credential(target));
    let body_bytes = PACED.probe(target, address, &request).await?;
    let streams = Streams { address, request, body_bytes, count: plan.streams, period: PERIOD };
    let meter = Meter::of(fleet, target);
    meter.start();
    let mut heard = streams.run().await?;
    meter.stop();
    let Usage { cpu, resident_bytes } = meter.read()?;
    let events = count(heard.late.len());
    anyhow::ensure!(
        heard.late.len() == plan.streams * plan.paced_events,
        "{events} events arrived instead of {} in each of {} streams",
        plan.paced_events,
        plan.streams
    );
    Ok(StreamFigures {
        events_per_second: events / heard.elapsed.as_secs_f64(),
        late_p50_us: micros(percentile(&mut heard.late, 0.5)),
        late_p99_us: micros(percentile(&mut heard.late, 0.99)),
        cpu_us_per_event: micros(cpu) / events,
        resident_mib: mebibytes(resident_bytes),
        busy: cpu.as_secs_f64() / heard.elapsed.as_secs_f64(),
    })
}

/// Reads what a target used between two moments.
struct Meter<'a> {
    fleet: &'a Fleet,
    target: Target,
    before: Shared<io::Result<Usage>>,
    after: Shared<io::Result<Usage>>,
}

impl<'a> Meter<'a> {
    fn of(fleet: &'a Fleet, target: Target) -> Self {
        let nothing = || Shared::new(Ok(Usage::default()));
        Self { fleet, target, before: nothing(), after: nothing() }
    }

    fn start(&self) {
        self.before.set(self.fleet.usage(self.target));
    }

    fn stop(&self) {
        self.after.set(self.fleet.usage(self.target));
    }

    /// The CPU time used between the two, and the memory at the end.
    fn read(self) -> io::Result<Usage> {
        let (before, after) = (self.before.into_inner()?, self.after.into_inner()?);
        Ok(Usage { cpu: after.cpu.saturating_sub(before.cpu), ..after })
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "numbers far below the 53 bits that are exact")]
fn count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "numbers far below the 53 bits that are exact")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
