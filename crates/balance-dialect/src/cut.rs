//! Cuts bytes into pieces, for the laws that say how bytes are cut must not matter.

/// The bytes in pieces of these sizes, which repeat; no size may be zero.
pub(crate) fn pieces<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for &size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(size));
        pieces.push(piece);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    pieces
}
