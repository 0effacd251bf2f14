//! The picture of the tour: its terminals as a page, photographed by a browser without a window.
//!
//! Invariant: no browser, no picture, and the reason said aloud; never a failed run for it.

use std::{env, fs, path::Path};

use super::tour::{Line, Terminal};
use crate::{
    machine,
    process::{program, root, run as execute, succeeds},
    tally::Failure,
};

/// The window of a terminal: where lines are broken, and how many are seen; the others have scrolled
/// away.
const COLUMNS: usize = 118;
const ROWS: usize = 34;
/// In pixels of the page, of which the picture has one and a half times as many. The style below
/// draws by them.
const WIDTH: usize = 984;
const ROW_HEIGHT: usize = 20;
const FRAME_HEIGHT: usize = 60;
const EDGE: usize = 16;
const GAP: usize = 12;

const STYLE: &str = "
  * { margin: 0; box-sizing: border-box; }
  body { padding: 16px; background: #dfe5ec; font: 13px/20px 'DejaVu Sans Mono', monospace; }
  section { background: #0d1117; color: #c9d1d9; border-radius: 8px; overflow: hidden; }
  section + section { margin-top: 12px; }
  h1 { height: 28px; padding: 0 12px; background: #212830; color: #9198a1; font: 12px/28px 'DejaVu Sans', sans-serif; }
  pre { padding: 10px 12px; font: inherit; }
  b { color: #f0f6fc; }
";

/// Photographs the terminals, if a browser can be had.
pub(super) fn write(terminals: &[Terminal], path: &str) -> Result<(), Failure> {
    let Some(browser) = browser() else {
        println!("docs: no chromium here and none to install, so {path} stays as it is");
        return Ok(());
    };
    let folder = env::temp_dir().join(format!("gemini-balance-tour-{}", std::process::id()));
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    let page = folder.join("tour.html");
    fs::write(&page, html(terminals)).map_err(failed)?;
    let shot = photograph(browser, &page, &root().join(path), &folder, height(terminals));
    fs::remove_dir_all(&folder).map_err(failed)?;
    shot.map(|()| println!("docs: wrote {path}"))
}

fn browser() -> Option<&'static str> {
    const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
    let installed = || NAMES.into_iter().find(|name| succeeds(program(name).arg("--version")));
    installed().or_else(|| match machine::install(&["chromium", "fonts-dejavu-core"]) {
        Ok(()) => installed(),
        Err(failure) => {
            println!("docs: {failure}");
            None
        }
    })
}

fn photograph(
    browser: &str,
    page: &Path,
    picture: &Path,
    folder: &Path,
    height: usize,
) -> Result<(), Failure> {
    let mut command = program(browser);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--force-device-scale-factor=1.5", &format!("--window-size={WIDTH},{height}")])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .stderr(std::process::Stdio::null());
    execute(&mut command)
}

/// A browser without a window cannot be asked how tall a page is; but all rows are equally tall.
fn height(terminals: &[Terminal]) -> usize {
    let height = |terminal: &Terminal| FRAME_HEIGHT + ROW_HEIGHT * rows(terminal).len();
    2 * EDGE - GAP + terminals.iter().map(height).sum::<usize>()
}

fn html(terminals: &[Terminal]) -> String {
    let sections: String = terminals.iter().map(section).collect();
    format!("<!doctype html><meta charset=\"utf-8\"><style>{STYLE}</style>{sections}")
}

fn section(terminal: &Terminal) -> String {
    let rows = rows(terminal).join("\n");
    format!("<section><h1>{}</h1><pre>{rows}</pre></section>", terminal.title)
}

/// What the window shows, as HTML.
fn rows(terminal: &Terminal) -> Vec<String> {
    let all: Vec<String> = terminal.lines.iter().flat_map(folded).collect();
    all.get(all.len().saturating_sub(ROWS)..).unwrap_or_default().to_vec()
}

/// A line as a terminal breaks it, as HTML; what is worth a look is bright.
fn folded(line: &Line) -> Vec<String> {
    let (dim, bright) = match line {
        Line::Typed(text) => ("", text.as_str()),
        Line::Shown(text) => text.split_at(text.find("tries=").unwrap_or(text.len())),
    };
    let letters: Vec<(char, bool)> = dim
        .chars()
        .map(|letter| (letter, false))
        .chain(bright.chars().map(|letter| (letter, true)))
        .collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(COLUMNS).map(row).collect()
}

fn row(letters: &[(char, bool)]) -> String {
    let stretch = |letters: &[(char, bool)]| {
        let text = escape(&letters.iter().map(|(letter, _)| letter).collect::<String>());
        let is_bright = letters.first().is_some_and(|(_, is_bright)| *is_bright);
        if is_bright { format!("<b>{text}</b>") } else { text }
    };
    letters.chunk_by(|(_, one), (_, next)| one == next).map(stretch).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_what_scrolls_away_is_not_seen() {
        let long = Line::Typed("<".repeat(COLUMNS + 1));
        assert_eq!(
            folded(&long),
            [format!("<b>{}</b>", "&lt;".repeat(COLUMNS)), "<b>&lt;</b>".into()]
        );
        let logged = Line::Shown("status=200 tries=\"a ok\"".into());
        assert_eq!(folded(&logged), ["status=200 <b>tries=\"a ok\"</b>"]);
        let lines = vec![long, Line::Shown(String::new())];
        let short = Terminal { title: "t", lines };
        assert_eq!(rows(&short).len(), 3);
        let lines = (0..100).map(|number| Line::Shown(number.to_string())).collect();
        let tall = Terminal { title: "t", lines };
        assert_eq!(rows(&tall).first().map(String::as_str), Some("66"));
        assert_eq!(
            height(&[short, tall]),
            2 * EDGE + GAP + 2 * (FRAME_HEIGHT - GAP) + 37 * ROW_HEIGHT
        );
    }
}
