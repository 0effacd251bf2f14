//! The picture of the way of a request, as `gateway.rs` reads from top to bottom.
//!
//! Invariant: a box that names a function carries the name it has in the code.

use super::diagram::{Arrow, Diagram, Look, Node, Path};

pub(super) fn picture() -> String {
    WAY.svg()
}

const WAY: Diagram = Diagram {
    title: "The way of a request: route, authorize, receive and decode; then, one key after another, \
            select, request, fetch and open; then deliver, and settle when the answer has ended",
    boxes: &[
        node("caller", "any Gemini or OpenAI client", (0, 0), Look::Outside),
        node("route", "which door, by path", (1, 0), Look::Pure),
        node("authorize", "whose keys may be used", (2, 0), Look::Pure),
        node("receive + decode", "the body, as Gemini asks it", (3, 0), Look::Awaits),
        node("select", "the pool gives a key", (3, 1), Look::Pure),
        node("request", "one key, one credential", (2, 1), Look::Pure),
        node("fetch", "ask Google", (1, 1), Look::Awaits),
        node("open + classify", "does the answer begin well?", (0, 1), Look::Awaits),
        node("deliver", "as it is, or translated", (0, 2), Look::Pure),
        node("reply", "to the caller, as it comes", (1, 2), Look::Outside),
        node("run(job)", "waits for the answer's end", (2, 2), Look::Awaits),
        node("settle", "the pool learns how it went", (3, 2), Look::Pure),
    ],
    arrows: &[
        straight("caller", "route", ""),
        straight("route", "authorize", ""),
        straight("authorize", "receive + decode", ""),
        straight("receive + decode", "select", ""),
        straight("select", "request", ""),
        straight("request", "fetch", ""),
        straight("fetch", "open + classify", ""),
        Arrow {
            from: "open + classify",
            to: "select",
            says: "a fault: settle, then another key while the plan allows",
            path: Path::Over,
        },
        straight("open + classify", "deliver", "begins well"),
        straight("deliver", "reply", ""),
        straight("reply", "run(job)", ""),
        straight("run(job)", "settle", ""),
    ],
    legend: &[
        (Look::Pure, "pure: no I/O, no clock"),
        (Look::Awaits, "waits for bytes or time"),
        (Look::Outside, "outside of the gateway"),
    ],
};

const fn node(name: &'static str, does: &'static str, at: (i32, i32), look: Look) -> Node {
    Node { name, does, at, look }
}

const fn straight(from: &'static str, to: &'static str, says: &'static str) -> Arrow {
    Arrow { from, to, says, path: Path::Straight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_is_drawn_and_every_text_fits_its_box() {
        let svg = picture();
        assert_eq!(svg.matches("marker-end").count(), WAY.arrows.len());
        for node in WAY.boxes {
            assert!(node.name.len() <= 24 && node.does.len() <= 32, "{}", node.name);
        }
    }
}
