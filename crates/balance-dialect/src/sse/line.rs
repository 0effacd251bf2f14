//! Lines of an event stream: found in bytes that arrive in pieces, and told apart.
//!
//! Invariant: no byte is searched for a line end twice, and none is changed.

use memchr::{memchr, memchr2};

use crate::backlog::Backlog;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Bytes that arrived, read as lines that end with LF, CR LF or CR.
#[derive(Debug, Default)]
pub(super) struct Lines {
    backlog: Backlog,
    /// How many unread bytes are known to hold no line end.
    searched: usize,
    /// The last line ended with CR, so that a LF that follows still belongs to its end.
    after_cr: bool,
    /// A line was read, so that no byte order mark can follow.
    begun: bool,
}

/// What stands at the front of [`Lines`].
pub(super) enum Line<'a> {
    /// A line, without its end.
    Whole(&'a [u8]),
    /// So many bytes of a line whose end has not arrived.
    Part(usize),
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.backlog.push(bytes);
    }

    /// The first unread line; the same one until [`consume`](Self::consume).
    pub(super) fn peek(&mut self) -> Line<'_> {
        if let (true, Some(&byte)) = (self.after_cr, self.backlog.unread().first()) {
            self.after_cr = false;
            self.backlog.skip(usize::from(byte == b'\n'));
        }
        let unread = self.backlog.unread();
        let unsearched = unread.get(self.searched..).unwrap_or_default();
        let end = memchr2(b'\n', b'\r', unsearched);
        self.searched += end.unwrap_or(unsearched.len());
        let line = unread.get(..self.searched).unwrap_or_default();
        match (end, self.begun) {
            (Some(_), true) => Line::Whole(line),
            (Some(_), false) => Line::Whole(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)),
            (None, false) if BYTE_ORDER_MARK.starts_with(line) => Line::Part(0),
            (None, false) => Line::Part(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).len()),
            (None, true) => Line::Part(line.len()),
        }
    }

    /// Counts the line that [`peek`](Self::peek) just gave as read.
    pub(super) fn consume(&mut self) {
        self.after_cr = self.backlog.unread().get(self.searched) == Some(&b'\r');
        self.backlog.skip(self.searched + 1);
        self.searched = 0;
        self.begun = true;
    }

    /// Whether nothing is left to read.
    pub(super) fn is_empty(&self) -> bool {
        self.backlog.unread().is_empty()
    }
}

/// What a line means to the event that is being put together.
pub(super) enum Row<'a> {
    /// The blank line that ends an event.
    Blank,
    /// A `data:` field.
    Data(&'a [u8]),
    /// An `event:` field.
    Name(&'a [u8]),
    /// A comment, or a field that changes nothing here.
    Ignored,
    /// A line that is no field.
    Stray(&'a [u8]),
}

impl<'a> Row<'a> {
    /// Tells a line apart; one `inside_stray` text may be blank or look like an unknown field.
    pub(super) fn of(line: &'a [u8], inside_stray: bool) -> Self {
        let (field, value) = match memchr(b':', line).and_then(|colon| line.split_at_checked(colon))
        {
            Some((field, value)) => (field, value.strip_prefix(b":").unwrap_or(value)),
            None => (line, line.get(line.len()..).unwrap_or_default()),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => Row::Data(value),
            b"event" => Row::Name(value),
            b"id" | b"retry" => Row::Ignored,
            b"" if !line.is_empty() => Row::Ignored,
            _ if inside_stray => Row::Stray(line),
            b"" => Row::Blank,
            _ if field.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) => {
                Row::Ignored
            }
            _ => Row::Stray(line),
        }
    }

    /// How many bytes the row adds to its event.
    pub(super) fn len(&self) -> usize {
        match self {
            Row::Data(bytes) | Row::Name(bytes) | Row::Stray(bytes) => bytes.len(),
            Row::Blank | Row::Ignored => 0,
        }
    }
}

/// The bytes before the first line end, and those after it when there is one.
pub(super) fn split_first(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some((line, rest)) =
        memchr2(b'\n', b'\r', bytes).and_then(|end| bytes.split_at_checked(end))
    else {
        return (bytes, None);
    };
    let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
    (line, Some(rest))
}
