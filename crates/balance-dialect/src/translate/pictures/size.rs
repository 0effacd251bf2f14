//! Sizes in pixels, as the shapes and resolutions that models know.
//!
//! Invariant: a size becomes the shape whose sides are nearest to its own in proportion.

use crate::translate::refusal::{Refusal, quoted};

/// The shapes that models of Gemini draw in.
pub(super) const GEMINI: [(&str, f64); 10] = [
    ("1:1", 1.0),
    ("2:3", 2.0 / 3.0),
    ("3:2", 3.0 / 2.0),
    ("3:4", 3.0 / 4.0),
    ("4:3", 4.0 / 3.0),
    ("4:5", 4.0 / 5.0),
    ("5:4", 5.0 / 4.0),
    ("9:16", 9.0 / 16.0),
    ("16:9", 16.0 / 9.0),
    ("21:9", 21.0 / 9.0),
];

/// The shapes that Imagen draws in.
pub(super) const IMAGEN: [(&str, f64); 5] = [
    ("1:1", 1.0),
    ("3:4", 3.0 / 4.0),
    ("4:3", 4.0 / 3.0),
    ("9:16", 9.0 / 16.0),
    ("16:9", 16.0 / 9.0),
];

/// Width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    width: f64,
    height: f64,
}

/// Reads a size; none leaves it to the model. `16:9` is taken too.
///
/// # Errors
/// A [`Refusal`] of what is no size.
pub(super) fn read(written: Option<&str>) -> Result<Option<Size>, Refusal> {
    let Some(written) = written.filter(|size| *size != "auto") else { return Ok(None) };
    let sides = written.split_once(['x', ':']).and_then(|(width, height)| {
        let (width, height): (u16, u16) = (width.parse().ok()?, height.parse().ok()?);
        (width > 0 && height > 0).then(|| Size { width: width.into(), height: height.into() })
    });
    let wrong = || {
        let reason = format!("{} is no size; send 'auto' or such as '1024x1536'", quoted(written));
        Refusal::invalid_value("size", reason)
    };
    sides.map(Some).ok_or_else(wrong)
}

impl Size {
    /// The name of the nearest shape.
    pub(super) fn nearest(self, shapes: &[(&'static str, f64)]) -> &'static str {
        let distance = |ratio: f64| (self.width / self.height / ratio).ln().abs();
        let nearest = shapes.iter().min_by(|(_, a), (_, b)| distance(*a).total_cmp(&distance(*b)));
        nearest.map_or("1:1", |(name, _)| name)
    }

    /// The name of the resolution, where it is more than the usual one.
    pub(super) fn resolution(self) -> Option<&'static str> {
        match self.width.max(self.height) {
            longest if longest <= 1536.0 => None,
            longest if longest <= 3072.0 => Some("2K"),
            _ => Some("4K"),
        }
    }
}
