//! Making text long and cutting it. Invariant: pieces joined again give the text.

const WORDS: [&str; 16] = [
    "river", "stone", "morning", "of", "light", "and", "quiet", "the", "garden", "under", "seven",
    "bridges", "walks", "slowly", "towards", "evening",
];

/// The text with words added or taken until it has `count` of them.
pub(super) fn lengthen(text: String, count: usize) -> String {
    let have = text.split_whitespace().count();
    if have > count {
        return text.split_whitespace().take(count).collect::<Vec<_>>().join(" ");
    }
    let seed = text.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31) ^ usize::from(byte));
    let mut text = text;
    for (index, word) in
        WORDS.iter().cycle().skip(seed % WORDS.len()).take(count - have).enumerate()
    {
        text.push_str(if index % 12 == 11 { "\n" } else { " " });
        text.push_str(word);
    }
    text
}

/// The text in `count` pieces of nearly the same length, none of them empty.
pub(super) fn split(text: &str, count: usize) -> Vec<&str> {
    let length = text.chars().count();
    let count = count.clamp(1, length.max(1));
    let mut pieces = Vec::with_capacity(count);
    let (mut rest, mut told) = (text, 0);
    for number in 1..=count {
        let until = length * number / count;
        let end = rest.char_indices().nth(until - told).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        (rest, told) = (after, until);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text_and_none_is_empty() {
        for text in ["Echo: hi", "é", "日本語のテキスト🎈", "a"] {
            for count in 1..12 {
                let pieces = split(text, count);
                assert_eq!(pieces.concat(), text);
                assert!(pieces.iter().all(|piece| !piece.is_empty()), "{text} {count}");
                assert_eq!(pieces.len(), count.min(text.chars().count()));
            }
        }
        assert_eq!(split("", 3), [""]);
    }

    #[test]
    fn length_is_in_words_and_the_filling_depends_on_the_text() {
        assert_eq!(lengthen("one two three".into(), 2), "one two");
        for count in [3, 4, 50] {
            assert_eq!(lengthen("one two three".into(), count).split_whitespace().count(), count);
        }
        assert_ne!(lengthen("ab".into(), 3)[2..], lengthen("ba".into(), 3)[2..]);
    }
}
