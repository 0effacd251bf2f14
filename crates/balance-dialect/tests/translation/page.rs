//! `docs/TRANSLATION-PAIRS.md`: how the translation stands against examples and real requests.
//!
//! Invariant: the page is made from the judgements alone. With `UPDATE=1` in the environment it is
//! written, else compared; where there is nothing recorded, neither.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::cases::shared;
use super::pairs::{Judgement, judgements, reasons};
use super::requests::{Outcome, judged};

const PAGE: &str = "../../docs/TRANSLATION-PAIRS.md";

#[test]
fn the_page_of_recorded_comparisons_is_up_to_date() {
    if shared().is_none() {
        return;
    }
    let made = page(&judgements(), &judged());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(path, made).unwrap();
        return;
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == made,
        "docs/TRANSLATION-PAIRS.md is stale: UPDATE=1 cargo test -p balance-dialect writes it"
    );
}

fn page(pairs: &[Judgement], requests: &Outcome) -> String {
    let mut page = "# How the translation compares\n\n\
        Made by the tests of balance-dialect; do not edit. What becomes of each field is told in\n\
        [TRANSLATION.md](TRANSLATION.md).\n"
        .to_owned();
    write_pairs(pairs, &mut page).unwrap();
    write_reasons(pairs, &mut page).unwrap();
    write_requests(requests, &mut page).unwrap();
    page
}

fn write_pairs(pairs: &[Judgement], page: &mut String) -> std::fmt::Result {
    let equal = pairs.iter().filter(|pair| pair.reasons.is_empty()).count();
    writeln!(
        page,
        "\n## Examples of other translators\n\n\
         Other translators publish examples with their tests: an input, and what they make of it. Each of\n\
         {} is translated by ours and compared value by value: {equal} are equal, and in {} every\n\
         difference has a reason why ours is better, or why the example asks for something else.\n\n\
         | Example | What it translates | Ours |\n|---|---|---|",
        pairs.len(),
        pairs.len() - equal
    )?;
    for pair in pairs {
        let reasons: Vec<String> =
            pair.reasons.iter().map(|reason| format!("[{reason}](#{reason})")).collect();
        let verdict = if reasons.is_empty() { "equal".to_owned() } else { reasons.join(", ") };
        writeln!(page, "| `{}` | {} | {verdict} |", pair.name, pair.direction)?;
    }
    Ok(())
}

fn write_reasons(pairs: &[Judgement], page: &mut String) -> std::fmt::Result {
    writeln!(page, "\n## Why ours differs")?;
    for (name, reason) in reasons() {
        let pairs = pairs.iter().filter(|pair| pair.reasons.contains(&name)).count();
        let examples = if pairs == 1 { "example" } else { "examples" };
        writeln!(page, "\n### {name}\n\nIn {pairs} {examples}. {}", reason.because)?;
    }
    Ok(())
}

fn write_requests(requests: &Outcome, page: &mut String) -> std::fmt::Result {
    let count = |endpoint| requests.translated.get(endpoint).copied().unwrap_or_default();
    let named: usize = requests.named.values().map(|(_, times)| times).sum();
    writeln!(
        page,
        "\n## Requests of real clients\n\n\
         Requests that SDKs and applications sent: {} chats, {} responses and {}\n\
         embeddings are translated, and {} native requests pass as they are. Of all their values {} reach\n\
         Gemini as they were written; the other {named} are named by a table of\n\
         [TRANSLATION.md](TRANSLATION.md), and nothing else is lost.\n\n\
         | Value | Times | What the table says |\n|---|---|---|",
        count("chat"),
        count("responses"),
        count("embeddings"),
        requests.native,
        requests.arrived
    )?;
    for (place, (row, times)) in &requests.named {
        writeln!(page, "| `{place}` | {times} | {} |", row.text)?;
    }
    if !requests.refused.is_empty() {
        writeln!(
            page,
            "\nRefused, as a table says:\n\n| Request | What the table says |\n|---|---|"
        )?;
        for (name, row) in &requests.refused {
            writeln!(page, "| {name} | {} |", row.text)?;
        }
    }
    Ok(())
}
