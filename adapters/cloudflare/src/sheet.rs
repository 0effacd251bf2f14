//! The store on the SQLite of a Durable Object.
//!
//! Invariant: one row for each subject and each ledger, and only rows that change are written. Rows go in and
//! come out as JSON in one parameter, so lists of any length stay within the platform's bounds: 100
//! parameters, and texts of 2 MB.

use std::{cell::Cell, collections::HashMap, fmt::Display};

use async_trait::async_trait;
use balance_core::{
    pool::{Ledger, Slice},
    store::{Bid, News, Note, Revision, Store, StoreError},
    time::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use worker::{SqlStorage, SqlStorageValue};

/// How many rows go in or come out at once.
const PORTION: usize = 1_000;

/// How long a ledger that nobody asks for is kept: longer than anything in it counts.
const LEDGER_MILLIS: u64 = 26 * 3_600_000;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS notes (
        subject TEXT PRIMARY KEY, text TEXT NOT NULL, until INTEGER, revision INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS notes_by_revision ON notes (revision);
    CREATE TABLE IF NOT EXISTS ledgers (
        name TEXT PRIMARY KEY, text TEXT NOT NULL, changed INTEGER NOT NULL
    ) WITHOUT ROWID;";

/// A store in SQLite.
#[derive(Debug)]
pub(crate) struct Sheet {
    sql: SqlStorage,
    /// The latest revision.
    revision: Cell<u64>,
}

impl Sheet {
    /// Opens the store, and makes its tables if they are not there.
    pub(crate) fn open(sql: SqlStorage) -> Result<Self, StoreError> {
        let sheet = Self { sql, revision: Cell::new(0) };
        sheet.sql.exec(TABLES, vec![]).map_err(failed)?;
        let latest = "SELECT json_array(coalesce(max(revision), 0)) AS rows FROM notes";
        let latest: Vec<u64> = sheet.read(latest, vec![])?;
        sheet.revision.set(latest.into_iter().sum());
        Ok(sheet)
    }

    /// The notes after a revision, some of them if they are many; see [`Store::load`].
    pub(crate) fn notes(&self, since: Revision, now: Timestamp) -> Result<News, StoreError> {
        let latest = self.revision.get();
        let since = if since.0 > latest { 0 } else { since.0 };
        let rows: Vec<(String, String, Option<Timestamp>, u64)> = self.read(
            "SELECT json_group_array(json_array(subject, text, until, revision)) AS rows FROM (
                SELECT * FROM notes WHERE revision > ? AND (until IS NULL OR until > ?)
                ORDER BY revision LIMIT ?)",
            vec![number(since), number(now.unix_millis()), number(PORTION as u64)],
        )?;
        let revision = rows.last().map_or(latest, |(.., revision)| *revision);
        let note = |(subject, text, until, _)| Note { subject, text, until };
        let notes = rows.into_iter().map(note).collect();
        Ok(News { notes, revision: Revision(revision) })
    }

    /// Keeps notes; see [`Store::save`].
    pub(crate) fn keep(&self, notes: &[Note]) -> Result<(), StoreError> {
        for portion in notes.chunks(PORTION) {
            let first = self.revision.get() + 1;
            let rows: Vec<_> = (first..)
                .zip(portion)
                .map(|(revision, note)| (&note.subject, &note.text, note.until, revision))
                .collect();
            self.write(
                "INSERT INTO notes (subject, text, until, revision)
                SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
                    json_extract(value, '$[2]'), json_extract(value, '$[3]')
                FROM json_each(?) WHERE true
                ON CONFLICT (subject) DO UPDATE SET
                    text = excluded.text, until = excluded.until, revision = excluded.revision",
                &rows,
            )?;
            self.revision.set(first + portion.len() as u64 - 1);
        }
        Ok(())
    }

    /// Forgets what is over; but for the latest note, so that no revision ever comes twice.
    pub(crate) fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        let now = now.unix_millis();
        let unused = now.saturating_sub(LEDGER_MILLIS);
        let over = "DELETE FROM notes
            WHERE until <= ? AND revision < (SELECT max(revision) FROM notes)";
        self.sql.exec(over, vec![number(now)]).map_err(failed)?;
        let delete = self.sql.exec("DELETE FROM ledgers WHERE changed < ?", vec![number(unused)]);
        delete.map(drop).map_err(failed)
    }

    /// Exchanges some slices; see [`Store::exchange`].
    fn trade(&self, bids: &[Bid], now: Timestamp) -> Result<Vec<Slice>, StoreError> {
        let names: Vec<_> = bids.iter().map(|bid| &bid.ledger).collect();
        let rows: Vec<(String, String)> = self.read(
            "SELECT json_group_array(json_array(name, text)) AS rows
            FROM ledgers WHERE name IN (SELECT value FROM json_each(?))",
            vec![json(&names)?],
        )?;
        let mut ledgers: HashMap<&str, Ledger> = HashMap::new();
        for (name, text) in &rows {
            ledgers.insert(name, serde_json::from_str(text).map_err(failed)?);
        }
        let mut slices = Vec::with_capacity(bids.len());
        for Bid { ledger, limit, claim } in bids {
            slices.push(ledgers.entry(ledger).or_default().exchange(*claim, *limit, now));
        }
        let mut changed = Vec::with_capacity(ledgers.len());
        for (name, ledger) in &ledgers {
            let text = serde_json::to_string(ledger).map_err(failed)?;
            changed.push((*name, text, now));
        }
        self.write(
            "INSERT INTO ledgers (name, text, changed)
            SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
                json_extract(value, '$[2]')
            FROM json_each(?) WHERE true
            ON CONFLICT (name) DO UPDATE SET text = excluded.text, changed = excluded.changed",
            &changed,
        )?;
        Ok(slices)
    }

    /// Reads the one row of a query whose one column `rows` is a JSON list.
    fn read<T: DeserializeOwned>(
        &self,
        query: &str,
        parameters: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>, StoreError> {
        let cursor = self.sql.exec(query, parameters).map_err(failed)?;
        let row = cursor.raw().next().transpose().map_err(failed)?.unwrap_or_default();
        let Some(SqlStorageValue::String(rows)) = row.into_iter().next() else {
            return Ok(Vec::new());
        };
        serde_json::from_str(&rows).map_err(failed)
    }

    fn write(&self, query: &str, rows: &impl Serialize) -> Result<(), StoreError> {
        self.sql.exec(query, vec![json(rows)?]).map(drop).map_err(failed)
    }
}

#[async_trait(?Send)]
impl Store for Sheet {
    async fn exchange(&self, bids: &[Bid], now: Timestamp) -> Result<Vec<Slice>, StoreError> {
        let portions = bids.chunks(PORTION).map(|portion| self.trade(portion, now));
        Ok(portions.collect::<Result<Vec<_>, _>>()?.concat())
    }

    async fn save(&self, notes: &[Note], _now: Timestamp) -> Result<(), StoreError> {
        self.keep(notes)
    }

    async fn load(&self, since: Revision, now: Timestamp) -> Result<News, StoreError> {
        self.notes(since, now)
    }
}

/// A number of SQLite as JavaScript has it, which is exact up to 2^53.
fn number(number: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn json(value: &impl Serialize) -> Result<SqlStorageValue, StoreError> {
    serde_json::to_string(value).map(SqlStorageValue::String).map_err(failed)
}

fn failed(error: impl Display) -> StoreError {
    // Errors of JavaScript are bound to their thread; what they say is not.
    StoreError(error.to_string().into())
}
