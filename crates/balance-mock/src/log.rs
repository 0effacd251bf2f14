//! What reached the fake, and how each answer ended. Invariant: bounded in entries and in bytes
//! (the oldest are forgotten), and recording costs a request one short lock and no copy.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use tokio::sync::Notify;

use crate::google::Timestamp;

mod entry;

pub use entry::{Chunk, Ending, Entry};
pub(crate) use entry::{View, hex};

/// Bytes of bodies that the log keeps in all.
const BODY_BYTES: usize = 64 << 20;
/// Body frames of one upload whose arrival is kept.
const CHUNKS: usize = 10_000;

/// The log.
#[derive(Debug)]
pub(crate) struct Log {
    ring: Mutex<Ring>,
    capacity: usize,
    number: AtomicU64,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<Arc<Record>>,
    body_bytes: usize,
}

/// One request, as it is being served.
#[derive(Debug)]
pub(crate) struct Record {
    number: u64,
    at: Timestamp,
    started: Instant,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    tail: Mutex<Tail>,
}

#[derive(Debug, Default)]
struct Tail {
    body: Bytes,
    body_bytes: u64,
    digest: Option<[u8; 32]>,
    chunks: Vec<Chunk>,
    status: Option<u16>,
    sent: u64,
    ending: Ending,
}

impl Log {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { ring: Mutex::default(), capacity, number: AtomicU64::new(0), changed: Notify::new() }
    }

    /// Records a request; `body` is empty for one whose body is still to come.
    pub(crate) fn open(self: &Arc<Self>, head: Parts, at: Timestamp, body: Bytes) -> Ticket {
        let body_bytes = body.len();
        let tail = Tail { body, body_bytes: body_bytes as u64, ..Tail::default() };
        let record = Arc::new(Record {
            number: self.number.fetch_add(1, Ordering::Relaxed),
            at,
            started: Instant::now(),
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            tail: Mutex::new(tail),
        });
        if self.capacity > 0 {
            let mut ring = lock(&self.ring);
            ring.records.push_back(Arc::clone(&record));
            ring.body_bytes += body_bytes;
            while ring.records.len() > self.capacity || ring.body_bytes > BODY_BYTES {
                let Some(oldest) = ring.records.pop_front() else { break };
                ring.body_bytes -= lock(&oldest.tail).body.len();
            }
        }
        Ticket { record, log: Arc::clone(self) }
    }

    /// The entries from this number on, oldest first.
    pub(crate) fn entries(&self, number: u64) -> Vec<Entry> {
        let ring = lock(&self.ring);
        let newest_first = ring.records.iter().rev().take_while(|record| record.number >= number);
        let mut records: Vec<_> = newest_first.cloned().collect();
        drop(ring);
        records.reverse();
        records.iter().map(|record| record.entry()).collect()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.ring) = Ring::default();
    }

    /// Waits for the next change: a request arrived or an answer ended.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}

impl Record {
    pub(crate) fn head(&self) -> Head<'_> {
        Head { method: &self.method, uri: &self.uri, headers: &self.headers }
    }

    fn entry(&self) -> Entry {
        let tail = lock(&self.tail);
        Entry {
            number: self.number,
            at: self.at,
            method: self.method.clone(),
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            body: tail.body.clone(),
            body_bytes: tail.body_bytes,
            digest: tail.digest,
            chunks: tail.chunks.clone(),
            status: tail.status,
            sent: tail.sent,
            ending: tail.ending,
        }
    }
}

/// The right to write one entry's end. Dropped before that, the client has gone away.
#[derive(Debug)]
pub(crate) struct Ticket {
    record: Arc<Record>,
    log: Arc<Log>,
}

/// The head of a request in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

impl Ticket {
    pub(crate) fn record(&self) -> Arc<Record> {
        Arc::clone(&self.record)
    }

    pub(crate) fn status(&self, status: u16) {
        lock(&self.record.tail).status = Some(status);
    }

    pub(crate) fn sent(&self, bytes: u64) {
        lock(&self.record.tail).sent += bytes;
    }

    /// A piece of a streamed request body has arrived.
    pub(crate) fn received(&self, bytes: usize) {
        let at_millis = self.record.started.elapsed().as_secs_f64() * 1000.0;
        let mut tail = lock(&self.record.tail);
        tail.body_bytes += bytes as u64;
        if tail.chunks.len() < CHUNKS {
            tail.chunks.push(Chunk { at_millis, bytes });
        }
    }

    /// The digest of a body that is not kept.
    pub(crate) fn digest(&self, digest: [u8; 32]) {
        lock(&self.record.tail).digest = Some(digest);
    }

    /// The first ending counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut tail = lock(&self.record.tail);
        if tail.ending == Ending::Open {
            tail.ending = ending;
            drop(tail);
            self.log.changed.notify_waiters();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let sent = lock(&self.record.tail).sent;
        self.end(Ending::Gone { at: sent });
    }
}

/// A lock that outlives a panic elsewhere: the data behind it are whole at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
