//! Diagrams as SVG, from boxes on a grid and arrows between them.
//!
//! Invariant: the text alone decides the picture, so that the same description gives the same bytes.

use std::fmt::Write;

const BOX: (i32, i32) = (200, 64);
const STEP: (i32, i32) = (244, 132);
const MARGIN: (i32, i32) = (16, 40);

/// A picture.
pub(super) struct Diagram {
    /// What it shows, for those who cannot see it.
    pub(super) title: &'static str,
    pub(super) boxes: &'static [Node],
    pub(super) arrows: &'static [Arrow],
    /// What the looks of the boxes mean.
    pub(super) legend: &'static [(Look, &'static str)],
}

/// A box.
pub(super) struct Node {
    pub(super) name: &'static str,
    /// What it does, in a few words.
    pub(super) does: &'static str,
    /// Column and row, from the upper left.
    pub(super) at: (i32, i32),
    pub(super) look: Look,
}

/// How a box is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Of somebody else.
    Outside,
    /// A pure function or state machine.
    Pure,
    /// Where time may pass.
    Awaits,
}

/// An arrow between two boxes, by their names.
pub(super) struct Arrow {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) says: &'static str,
    pub(super) path: Path,
}

/// The way that an arrow takes.
#[derive(Clone, Copy)]
pub(super) enum Path {
    /// From side to side of two neighbours.
    Straight,
    /// Up, over the boxes between, and down again.
    Over,
}

impl Diagram {
    pub(super) fn svg(&self) -> String {
        let columns = self.boxes.iter().map(|node| node.at.0).max().unwrap_or(0);
        let rows = self.boxes.iter().map(|node| node.at.1).max().unwrap_or(0);
        let width = columns * STEP.0 + BOX.0 + 2 * MARGIN.0;
        let height = rows * STEP.1 + BOX.1 + 2 * MARGIN.1;
        let mut body = String::new();
        for arrow in self.arrows {
            self.draw_arrow(arrow, &mut body);
        }
        for node in self.boxes {
            draw_box(node, &mut body);
        }
        draw_legend(self.legend, height - 16, &mut body);
        let title = escape(self.title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n{STYLE}{body}</svg>\n"
        )
    }

    fn draw_arrow(&self, arrow: &Arrow, body: &mut String) {
        let place = |name| self.boxes.iter().find(|node| node.name == name).map(centre);
        let (Some(from), Some(to)) = (place(arrow.from), place(arrow.to)) else { return };
        let (half_width, half_height) = (BOX.0 / 2, BOX.1 / 2);
        let (line, label) = match arrow.path {
            Path::Straight if from.1 == to.1 => {
                let side = (to.0 - from.0).signum() * half_width;
                let line = format!("M{} {}H{}", from.0 + side, from.1, to.0 - side);
                (line, (from.0.midpoint(to.0), from.1 - 10))
            }
            Path::Straight => {
                let side = (to.1 - from.1).signum() * half_height;
                let line = format!("M{} {}V{}", from.0, from.1 + side, to.1 - side);
                (line, (from.0 + 10, from.1.midpoint(to.1) + 4))
            }
            Path::Over => {
                let top = from.1 - half_height;
                let lane = top - 30;
                let end = to.0 - (to.0 - from.0).signum() * half_width / 2;
                let line = format!("M{} {top}V{lane}H{end}V{top}", from.0);
                (line, (from.0.midpoint(end), lane - 8))
            }
        };
        let _ = writeln!(body, "<path class=\"arrow\" d=\"{line}\" marker-end=\"url(#tip)\"/>");
        let is_upright = from.0 == to.0;
        let anchor = if is_upright { "start" } else { "middle" };
        if !arrow.says.is_empty() {
            let says = escape(arrow.says);
            let _ = writeln!(
                body,
                "<text class=\"says\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{says}</text>",
                label.0, label.1
            );
        }
    }
}

const STYLE: &str = r##"<style>
  svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; --ink: #1f2328; --soft: #59636e; --ground: #fff; --outside: #f6f8fa; --pure: #ddf4ff; --awaits: #fff1d6; --edge: #8c959f; }
  @media (prefers-color-scheme: dark) { svg { --ink: #f0f6fc; --soft: #9198a1; --ground: #0d1117; --outside: #212830; --pure: #10304f; --awaits: #46340c; --edge: #656c76; } }
  .ground { fill: var(--ground); }
  rect { stroke: var(--edge); }
  .outside { fill: var(--outside); stroke-dasharray: 4 3; } .pure { fill: var(--pure); } .awaits { fill: var(--awaits); }
  .name { fill: var(--ink); font-size: 15px; font-weight: 600; text-anchor: middle; }
  .does, .says, .legend { fill: var(--soft); font-size: 12px; }
  .does { text-anchor: middle; }
  .arrow { fill: none; stroke: var(--soft); stroke-width: 1.5; }
  .tip { fill: var(--soft); }
</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 10 5 0 10z"/></marker></defs>
<rect class="ground" width="100%" height="100%" stroke="none" style="stroke: none"/>
"##;

fn centre(node: &Node) -> (i32, i32) {
    (MARGIN.0 + node.at.0 * STEP.0 + BOX.0 / 2, MARGIN.1 + node.at.1 * STEP.1 + BOX.1 / 2)
}

fn draw_box(node: &Node, body: &mut String) {
    let (x, y) = centre(node);
    let (left, top) = (x - BOX.0 / 2, y - BOX.1 / 2);
    let look = class(node.look);
    let _ = writeln!(
        body,
        "<rect class=\"{look}\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
         <text class=\"name\" x=\"{x}\" y=\"{}\">{}</text>\n<text class=\"does\" x=\"{x}\" y=\"{}\">{}</text>",
        BOX.0,
        BOX.1,
        y - 5,
        escape(node.name),
        y + 16,
        escape(node.does)
    );
}

fn draw_legend(legend: &[(Look, &str)], y: i32, body: &mut String) {
    let mut x = MARGIN.0;
    for (look, says) in legend {
        let _ = writeln!(
            body,
            "<rect class=\"{}\" x=\"{x}\" y=\"{}\" width=\"14\" height=\"14\" rx=\"3\"/>\n\
             <text class=\"legend\" x=\"{}\" y=\"{y}\">{}</text>",
            class(*look),
            y - 11,
            x + 20,
            escape(says)
        );
        x += STEP.0;
    }
}

const fn class(look: Look) -> &'static str {
    match look {
        Look::Outside => "outside",
        Look::Pure => "pure",
        Look::Awaits => "awaits",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
