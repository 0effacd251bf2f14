//! Links of the pages: what they point at is there.
//!
//! Invariant: a link that calls something by its name in code, as [`Plan::next`](…/plan.rs) would,
//! leads to a file in which that name stands.

use std::{fs, path::Path};

use super::{PAGES, fences::prose, pages_by_hand};
use crate::{process::root, tally::Failure};

/// What is wrong with the links, one line each.
pub(super) fn dead() -> Result<Vec<String>, Failure> {
    let mut pages = pages_by_hand()?;
    for page in PAGES.iter().filter(|page| page.path.ends_with(".md")) {
        pages.push((page.path, (page.text)()?));
    }
    let complaint = |path: &str, link: &Link<'_>| {
        let wrong = wrong_with(link, path, &|file| fs::read(root().join(file)).ok())?;
        Some(format!("{path}: [{}]({}): {wrong}", link.text, link.target))
    };
    let of_page = |(path, page): &(&str, String)| {
        let prose = prose(page);
        links(&prose).iter().filter_map(|link| complaint(path, link)).collect::<Vec<_>>()
    };
    Ok(pages.iter().flat_map(of_page).collect())
}

#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    text: &'a str,
    target: &'a str,
}

/// Links and pictures. A text has no brackets in it, a target no parentheses.
fn links(prose: &str) -> Vec<Link<'_>> {
    let ends = prose.match_indices("](");
    let link = |(middle, _): (usize, &str)| {
        let (before, after) = (prose.get(..middle)?, prose.get(middle + 2..)?);
        let text = before.get(before.rfind('[')? + 1..)?;
        Some(Link { text, target: after.get(..after.find(')')?)? })
    };
    ends.filter_map(link).collect()
}

/// `read` gives the bytes of a file of the checkout.
fn wrong_with(
    link: &Link<'_>,
    page: &str,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Option<String> {
    if link.target.contains("://") {
        return None; // Nothing here touches the internet.
    }
    let (file, heading) = link.target.split_once('#').unwrap_or((link.target, ""));
    let place = Path::new(page).with_file_name(file);
    let file = if file.is_empty() { page.into() } else { place.to_string_lossy() };
    if root().join(&*file).is_dir() {
        return None;
    }
    let Some(content) = read(&file) else { return Some("there is no such file".into()) };
    let content = String::from_utf8_lossy(&content);
    if !heading.is_empty() && !headings(&content).iter().any(|known| known == heading) {
        return Some(format!("{file} has no such heading"));
    }
    let name = link.text.strip_prefix('`')?.strip_suffix('`')?;
    let name = name.rsplit("::").next()?.trim_end_matches("()");
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let stands = || {
        content
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .any(|word| word == name)
    };
    (is_name && file.ends_with(".rs") && !stands())
        .then(|| format!("`{name}` does not stand there"))
}

/// The anchors that a forge gives to the headings of a page.
fn headings(page: &str) -> Vec<String> {
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept =
            words.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    page.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_and_lost_names_are_found() {
        let read = |file: &str| match file {
            "plan.rs" => Some(b"impl Plan { pub fn next(&mut self) {} }".to_vec()),
            "README.md" => Some("# One\n## Was noch fehlt: 还没有\n".into()),
            _ => None,
        };
        let rows = [
            ("[`Plan::next`](plan.rs)", None),
            ("[`next()`](plan.rs)", None),
            ("[`Plan::nex`](plan.rs)", Some("`nex` does not stand there")),
            ("[the plan](plan.rs)", None),
            ("![a picture](gone.svg)", Some("there is no such file")),
            ("[one](#one) and", None),
            ("[missing](README.md#was-noch-fehlt-还没有)", None),
            ("[two](#two)", Some("README.md has no such heading")),
            ("[out](https://example.com/x)", None),
        ];
        for (text, wrong) in rows {
            let found = links(text);
            let [link] = found.as_slice() else { panic!("{text}: {found:?}") };
            assert_eq!(wrong_with(link, "README.md", &read).as_deref(), wrong, "{text}");
        }
    }
}
