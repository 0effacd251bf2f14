//! Where the text of a rest joins the text before it.
//!
//! Invariant: text is left out only where the rest begins with enough of the end of what was said to
//! be no chance, or with all of it.

/// How much of the end of what was said a rest is compared with, in bytes.
const WINDOW: usize = 4096;

/// How many bytes of letters and digits make an overlap that is no chance. Blanks and lines repeat
/// by themselves.
const TELLING_BYTES: usize = 12;

/// Where the new text of a rest begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seam {
    /// More text is needed to tell.
    Open,
    /// After so many bytes.
    After(usize),
}

/// Compares the beginning of a rest with what was `said`; `is_all` if no more text comes.
pub(super) fn seam(said: &str, rest: &str, is_all: bool) -> Seam {
    let mut longest = 0;
    for place in places(said) {
        let Some(end) = said.get(place..) else { continue };
        if end.len() > rest.len() {
            if !is_all && end.starts_with(rest) {
                return Seam::Open;
            }
        } else if rest.starts_with(end) && is_telling(end, place == 0) {
            longest = longest.max(end.len());
        }
    }
    Seam::After(longest)
}

/// Where an overlap may begin: at the very beginning, or not too far from the end.
fn places(said: &str) -> impl Iterator<Item = usize> {
    let far = said.len().saturating_sub(WINDOW);
    let start = (!said.is_empty() && far > 0).then_some(0);
    let near = (far..said.len()).filter(|place| said.is_char_boundary(*place));
    start.into_iter().chain(near)
}

fn is_telling(overlap: &str, is_all_that_was_said: bool) -> bool {
    let letters = overlap.chars().filter(|c| c.is_alphanumeric());
    let bytes: usize = letters.map(char::len_utf8).sum();
    bytes >= if is_all_that_was_said { 1 } else { TELLING_BYTES }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_found_once_it_is_clear() {
        let said = "The quick brown fox jumps over the lazy dog";
        let rows = [
            (" and runs", false, Seam::After(0)),
            ("the lazy dog and", false, Seam::After(0)), // ten letters may be chance
            ("over the lazy dog and", false, Seam::After("over the lazy dog".len())),
            ("over the la", false, Seam::Open),
            ("over the la", true, Seam::After(0)),
            ("over the lazy dog", true, Seam::After("over the lazy dog".len())),
            ("over the lazy cat", false, Seam::After(0)),
            ("The quick brown fox jumps over the lazy dog.", false, Seam::After(said.len())),
            ("", false, Seam::Open),
        ];
        for (rest, is_all, expected) in rows {
            assert_eq!(seam(said, rest, is_all), expected, "{rest:?}");
        }
    }

    #[test]
    fn chance_is_no_overlap() {
        for (said, rest) in
            [("Hel", "lo"), ("  x\n    ", "    y"), ("-----", "---"), ("a b", "b c")]
        {
            assert_eq!(seam(said, rest, true), Seam::After(0), "{said:?} {rest:?}");
        }
    }

    #[test]
    fn an_answer_begun_again_is_an_overlap_however_short_or_long() {
        assert_eq!(seam("Hel", "Hello", false), Seam::After(3));
        assert_eq!(seam("好", "好的", false), Seam::After(3));
        let said = "word ".repeat(4000);
        assert_eq!(seam(&said, &format!("{said}more"), false), Seam::After(said.len()));
    }

    #[test]
    fn nothing_said_overlaps_with_nothing() {
        assert_eq!(seam("", "Hello", false), Seam::After(0));
    }
}
