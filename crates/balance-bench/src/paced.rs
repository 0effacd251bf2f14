//! Many event streams at once, each at a known pace: how late do the events arrive?
//!
//! Invariant: lateness is measured against the stream's own timetable, which its earliest event
//! sets; so neither the time to connect nor a constant delay counts, only what a server adds to
//! some events and not to others.

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::{JoinSet, LocalSet};

use crate::{
    client::{Answer, Connection},
    load::LoadError,
};

/// A number of equal streams.
#[derive(Debug, Clone)]
pub struct Streams {
    /// The server.
    pub address: SocketAddr,
    /// The request, whole, as it goes over the wire.
    pub request: Bytes,
    /// Bytes that the body of every answer must have.
    pub body_bytes: u64,
    /// How many streams there are at once.
    pub count: usize,
    /// The time between two events of one stream.
    pub period: Duration,
}

/// What the streams were like.
#[derive(Debug, Default)]
pub struct Punctuality {
    /// How late each event of each stream was.
    pub late: Vec<Duration>,
    /// From the first request to the end of the last stream.
    pub elapsed: Duration,
}

impl Streams {
    /// Opens the streams, spread over one period, and listens until all have ended.
    ///
    /// # Errors
    /// When a stream breaks or is not as long as expected.
    pub async fn run(&self) -> Result<Punctuality, LoadError> {
        let streams = Rc::new(self.clone());
        let local = LocalSet::new();
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        let step = self.period / u32::try_from(self.count.max(1)).unwrap_or(u32::MAX);
        for index in 0..self.count {
            let delay = step * u32::try_from(index).unwrap_or(u32::MAX);
            tasks.spawn_local_on(Rc::clone(&streams).listen(start + delay), &local);
        }
        let mut late = Vec::new();
        local
            .run_until(async {
                while let Some(arrivals) = tasks.join_next().await {
                    late.extend(lateness(&arrivals??, self.period));
                }
                Ok::<(), LoadError>(())
            })
            .await?;
        Ok(Punctuality { late, elapsed: start.elapsed() })
    }

    async fn listen(self: Rc<Self>, start: Instant) -> Result<Vec<Instant>, LoadError> {
        tokio::time::sleep_until(start.into()).await;
        let mut connection = Connection::open(self.address).await?;
        let (mut events, mut arrivals) = (EventEnds::default(), Vec::new());
        let answer = connection
            .exchange(&self.request, |piece| {
                let now = Instant::now();
                arrivals.resize(arrivals.len() + events.push(piece), now);
            })
            .await?;
        let Answer { status, body_bytes, .. } = answer;
        if status == 200 && body_bytes == self.body_bytes {
            return Ok(arrivals);
        }
        Err(LoadError::Unexpected { status, body_bytes, expected: self.body_bytes })
    }
}

/// How late each event was by the timetable that the earliest of them sets.
fn lateness(arrivals: &[Instant], period: Duration) -> Vec<Duration> {
    let Some(&origin) = arrivals.first() else { return Vec::new() };
    let due = |index: usize| period * u32::try_from(index).unwrap_or(u32::MAX);
    let offsets = arrivals.iter().enumerate();
    let offsets: Vec<(Duration, Duration)> =
        offsets.map(|(index, arrival)| (*arrival - origin, due(index))).collect();
    // how far the whole timetable has to move forward so that no event is early
    let lead =
        offsets.iter().map(|(arrived, due)| due.saturating_sub(*arrived)).max().unwrap_or_default();
    offsets.iter().map(|(arrived, due)| (*arrived + lead).saturating_sub(*due)).collect()
}

/// Counts the blank lines that end the events of a stream.
#[derive(Debug, Default)]
struct EventEnds {
    line_has_content: bool,
    event_has_content: bool,
}

impl EventEnds {
    /// How many events end within these bytes.
    fn push(&mut self, bytes: &[u8]) -> usize {
        let mut ends = 0;
        for byte in bytes {
            match byte {
                b'\n' if self.line_has_content => self.line_has_content = false,
                b'\n' => ends += usize::from(std::mem::take(&mut self.event_has_content)),
                b'\r' => {}
                _ => (self.line_has_content, self.event_has_content) = (true, true),
            }
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_at_blank_lines_however_the_bytes_are_cut() {
        let stream = b"data: 1\r\n\r\n: note\n\n\ndata: 2\ndata: 3\n\n";
        for cut in 0..stream.len() {
            let mut ends = EventEnds::default();
            assert_eq!(ends.push(&stream[..cut]) + ends.push(&stream[cut..]), 3, "cut at {cut}");
        }
    }

    #[test]
    fn the_earliest_event_sets_the_timetable() {
        let origin = Instant::now();
        let at = |millis: u64| origin + Duration::from_millis(millis);
        let arrivals = [at(5), at(21), at(40), at(75)];
        let late = lateness(&arrivals, Duration::from_millis(20));
        assert_eq!(late, [5, 1, 0, 15].map(Duration::from_millis));
    }
}
