//! Where in a body a value stands.
//!
//! Invariant: going down costs nothing; a path becomes text only when a refusal names it.

use std::fmt;

/// The path to a field of a body, such as `messages[2].content`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Self>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// A field of the body itself.
    pub(crate) fn root(field: &'p str) -> Self {
        Self { parent: None, step: Step::Field(field) }
    }

    /// A field of the object at this path.
    pub(crate) fn field<'q>(&'q self, field: &'q str) -> Path<'q> {
        Path { parent: Some(self), step: Step::Field(field) }
    }

    /// An element of the array at this path.
    pub(crate) fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(field) if self.parent.is_some() => write!(f, ".{field}"),
            Step::Field(field) => f.write_str(field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_code_would() {
        let messages = Path::root("messages");
        let message = messages.index(2);
        let content = message.field("content");
        let part = content.index(0);
        assert_eq!(part.field("type").to_string(), "messages[2].content[0].type");
        assert_eq!(messages.to_string(), "messages");
    }
}
