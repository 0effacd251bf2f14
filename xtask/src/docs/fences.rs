//! Code blocks of a Markdown page.
//!
//! Invariant: what stands between the fences comes out byte for byte.

/// A code block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// The words behind the opening fence: the language, then what a page wants to say of it.
    pub(super) info: &'a str,
    pub(super) code: String,
}

/// All code blocks, in order.
pub(super) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(info) => {
                if !inside {
                    blocks.push(Block { info, code: String::new() });
                }
                inside = !inside;
            }
            None if inside => {
                if let Some(block) = blocks.last_mut() {
                    block.code.push_str(line);
                    block.code.push('\n');
                }
            }
            None => {}
        }
    }
    blocks
}

/// The page without its code blocks.
pub(super) fn prose(page: &str) -> String {
    page.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_prose_are_told_apart() {
        let page = "# A\n```sh one\nx | y\n\nz\n```\nb\n```\nc\n```\n";
        let block = |info, code: &str| Block { info, code: code.into() };
        assert_eq!(blocks(page), [block("sh one", "x | y\n\nz\n"), block("", "c\n")]);
        assert_eq!(prose(page), "# A\n\nb\n\n");
    }
}
