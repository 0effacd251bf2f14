//! `cargo xtask docs`: whatever in the documentation can be made from the code, or held against it.
//!
//! Invariant: a page that is made stands in [`PAGES`]; a link, a path or a command in a page by hand
//! is checked here, so that a stale one fails instead of misleading.

mod diagram;
mod fences;
mod links;
mod screenshot;
mod settings;
mod shell;
mod tour;
mod way;

use std::fs;

use crate::{
    process::root,
    tally::{Failure, Outcome, Tally},
};

/// A file made from code.
struct Page {
    path: &'static str,
    text: fn() -> String,
}

const PAGES: &[Page] = &[
    Page { path: "docs/SETTINGS.md", text: settings::page },
    Page { path: "docs/pictures/way-of-a-request.svg", text: way::picture },
];

/// Without arguments: makes the pages, takes the README's tour, photographs it. With `--check`:
/// complains about what is stale, and takes the tour without a camera.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let photograph = match arguments {
        [] => true,
        [flag] if flag == "--check" => false,
        _ => return Err(Failure::new("`docs` takes `--check` or nothing")),
    };
    let complaints = if photograph { write_pages()? } else { stale_pages() };
    let complaints = [complaints, links::dead()?, tour::differences()?].concat();
    if !complaints.is_empty() {
        return Err(Failure::new(format!(
            "the documentation is not true:\n  {}",
            complaints.join("\n  ")
        )));
    }
    let session = tour::take()?;
    if photograph {
        screenshot::write(&session, "docs/pictures/tour.png")?;
    }
    Ok(Tally::PASSED)
}

fn write_pages() -> Result<Vec<String>, Failure> {
    for page in PAGES {
        let path = root().join(page.path);
        let folder = path.parent().map_or_else(|| Ok(()), fs::create_dir_all);
        folder
            .and_then(|()| fs::write(&path, (page.text)()))
            .map_err(|error| Failure::new(format!("{}: {error}", page.path)))?;
        println!("docs: wrote {}", page.path);
    }
    Ok(Vec::new())
}

fn stale_pages() -> Vec<String> {
    let is_stale = |page: &&Page| {
        fs::read_to_string(root().join(page.path)).ok().as_deref() != Some(&*(page.text)())
    };
    let say = |page: &Page| format!("{} is stale: run `cargo xtask docs`", page.path);
    PAGES.iter().filter(is_stale).map(say).collect()
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
