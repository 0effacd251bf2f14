//! `cargo xtask docs`: whatever in the documentation can be made from the code, or held against it.
//!
//! Invariant: a page that is made stands in [`PAGES`]; a link, a path or a command in a page by hand
//! is checked here, so that a stale one fails instead of misleading.

mod diagram;
mod fences;
mod links;
mod screenshot;
mod shell;
mod tour;
mod way;

use std::fs;

use crate::{
    process::{capture, cargo, root},
    tally::{Failure, Outcome, Tally},
};

/// A file made from code.
struct Page {
    path: &'static str,
    text: fn() -> Result<String, Failure>,
}

const PAGES: &[Page] = &[
    Page { path: "docs/SETTINGS.md", text: settings },
    Page { path: "docs/pictures/way-of-a-request.svg", text: || Ok(way::picture()) },
];

/// Without arguments: makes the pages, takes the README's tour and photographs it. With `--check`:
/// takes the tour without a camera. Either way, complains about what is not true.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let write = match arguments {
        [] => true,
        [flag] if flag == "--check" => false,
        _ => return Err(Failure::new("`docs` takes `--check` or nothing")),
    };
    if write {
        write_pages()?;
    }
    let session = tour::take()?;
    if write {
        screenshot::write(&session, "docs/pictures/tour.png")?;
    }
    let complaints = [stale_pages()?, links::dead()?, tour::differences()?].concat();
    if complaints.is_empty() {
        return Ok(Tally::PASSED);
    }
    let list = complaints.join("\n  ");
    Err(Failure::new(format!("the documentation is not true:\n  {list}")))
}

fn settings() -> Result<String, Failure> {
    capture(&mut cargo(["run", "--quiet", "--package", "xtask", "--example", "settings-page"]))
}

fn write_pages() -> Result<(), Failure> {
    for page in PAGES {
        let path = root().join(page.path);
        let text = (page.text)()?;
        let folder = path.parent().map_or_else(|| Ok(()), fs::create_dir_all);
        folder
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::new(format!("{}: {error}", page.path)))?;
        println!("docs: wrote {}", page.path);
    }
    Ok(())
}

fn stale_pages() -> Result<Vec<String>, Failure> {
    let mut stale = Vec::new();
    for page in PAGES {
        let kept = fs::read_to_string(root().join(page.path)).unwrap_or_default();
        if kept != (page.text)()? {
            stale.push(format!("{} is stale: run `cargo xtask docs`", page.path));
        }
    }
    Ok(stale)
}

/// The pages written by hand.
fn pages_by_hand() -> Result<Vec<(&'static str, String)>, Failure> {
    const BY_HAND: [&str; 5] =
        ["README.md", "README.zh.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let read = |path| {
        fs::read_to_string(root().join(path))
            .map(|text| (path, text))
            .map_err(|error| Failure::new(format!("{path}: {error}")))
    };
    BY_HAND.into_iter().map(read).collect()
}
