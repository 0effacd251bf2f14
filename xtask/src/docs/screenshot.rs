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

/// Columns of a terminal, after which lines are broken.
const COLUMNS: usize = 118;
/// In pixels of the page, of which the picture has twice as many; the style below draws by them.
const WIDTH: usize = 984;
const LINE_HEIGHT: usize = 20;
const FRAME_HEIGHT: usize = 60;
const EDGE: usize = 16;

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
        .args(["--force-device-scale-factor=2", &format!("--window-size={WIDTH},{height}")])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .stderr(std::process::Stdio::null());
    execute(&mut command)
}

/// A browser without a window cannot be asked how tall a page is; but all lines are equally tall.
fn height(terminals: &[Terminal]) -> usize {
    let rows = |terminal: &Terminal| -> usize {
        terminal.lines.iter().map(|line| folded(line).len()).sum()
    };
    let frames: usize =
        terminals.iter().map(|terminal| FRAME_HEIGHT + LINE_HEIGHT * rows(terminal)).sum();
    2 * EDGE - 12 + frames
}

fn html(terminals: &[Terminal]) -> String {
    let sections: String = terminals.iter().map(section).collect();
    format!("<!doctype html><meta charset=\"utf-8\"><style>{STYLE}</style>{sections}")
}

fn section(terminal: &Terminal) -> String {
    let row = |line: &Line| {
        let text = escape(&folded(line).join("\n"));
        match line {
            Line::Shown(_) => text + "\n",
            Line::Typed(_) => format!("<b>{text}</b>\n"),
        }
    };
    let rows: String = terminal.lines.iter().map(row).collect();
    format!("<section><h1>{}</h1><pre>{rows}</pre></section>", terminal.title)
}

/// A line as a terminal breaks it.
fn folded(line: &Line) -> Vec<String> {
    let (Line::Typed(text) | Line::Shown(text)) = line;
    let letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(COLUMNS).map(|chunk| chunk.iter().collect()).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_counted() {
        let lines = vec![Line::Typed("<".repeat(COLUMNS + 1)), Line::Shown(String::new())];
        let terminal = Terminal { title: "t", lines };
        assert_eq!(
            height(std::slice::from_ref(&terminal)),
            2 * EDGE - 12 + FRAME_HEIGHT + 3 * LINE_HEIGHT
        );
        assert!(
            html(&[terminal])
                .contains(&format!("<b>{}\n&lt;</b>\n\n</pre>", "&lt;".repeat(COLUMNS)))
        );
    }
}
