//! Bytes that arrived in pieces and were not read yet.
//!
//! Invariant: unread bytes are moved only when at least as many read ones make room for them, so
//! that the cost of keeping them is linear in the bytes that pass.

/// A queue of bytes: pushed at the end, read from the front.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    bytes: Vec<u8>,
    /// How many of `bytes` were read; `read <= bytes.len()`.
    read: usize,
}

impl Backlog {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.read >= self.unread().len() {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn unread(&self) -> &[u8] {
        self.bytes.get(self.read..).unwrap_or_default()
    }

    /// Counts the next `length` bytes as read.
    pub(crate) fn skip(&mut self, length: usize) {
        self.read = self.bytes.len().min(self.read + length);
    }
}

#[cfg(test)]
mod tests {
    use super::Backlog;

    #[test]
    fn bytes_are_read_in_the_order_they_came() {
        let mut backlog = Backlog::default();
        backlog.push(b"abcde");
        backlog.skip(1);
        backlog.push(b"f");
        assert_eq!(backlog.unread(), b"bcdef");
        backlog.skip(3);
        backlog.push(b"gh");
        assert_eq!(backlog.unread(), b"efgh");
        backlog.skip(9);
        assert_eq!(backlog.unread(), b"");
    }

    #[test]
    fn bytes_that_were_read_are_not_kept() {
        let mut backlog = Backlog::default();
        for _ in 0..1000 {
            backlog.push(b"0123456789");
            backlog.skip(9);
            backlog.skip(backlog.unread().len().saturating_sub(5));
        }
        assert!(backlog.bytes.capacity() < 100, "{}", backlog.bytes.capacity());
    }
}
