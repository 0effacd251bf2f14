//! What the command tells on the terminal. Invariant: short enough to read, and every line of it
//! can be copied and works.

use std::time::Duration;

use balance_mock::{Ending, ErrorName, Key, Limits, Mock, Setup};

/// At most so many keys of a kind are printed.
const SHOWN: usize = 4;

/// A key to show.
pub(crate) struct Offer {
    key: Key,
    note: String,
}

/// The keys of a setup, with a word on each.
pub(crate) fn keys(setup: &Setup) -> Vec<Offer> {
    let note = |key: &Key| match key.state {
        Some(ErrorName::Leaked) => "dead: reported as leaked".to_owned(),
        Some(error) => format!("answers {:?}", error.word()),
        None => {
            let project = setup.projects.iter().find(|project| project.name == key.project);
            limits(&project.map_or_else(Limits::default, |project| project.limits))
        }
    };
    setup.keys.iter().map(|key| Offer { note: note(key), key: key.clone() }).collect()
}

/// What is printed at the start.
pub(crate) fn text(base_url: &str, offers: &[Offer]) -> String {
    let mut text = format!("A fake Gemini API listens on {base_url}\n\n");
    for offer in offers.iter().take(SHOWN * 2) {
        text.push_str(&format!("  {}  {:<10} {}\n", offer.key.secret, offer.key.name, offer.note));
    }
    if offers.len() > SHOWN * 2 {
        text.push_str(&format!("  … and {} more\n", offers.len() - SHOWN * 2));
    }
    if let Some(offer) = offers.iter().find(|offer| offer.key.state.is_none()) {
        text.push_str(&format!(
            "\nTry\n  curl '{base_url}/v1beta/models/gemini-2.5-flash:generateContent' \\\n    \
             -H 'x-goog-api-key: {}' -d '{{\"contents\":[{{\"parts\":[{{\"text\":\"hi\"}}]}}]}}'\n",
            offer.key.secret
        ));
    }
    text.push_str(&format!(
        "\nWhat it can be made to do: curl {base_url}/_mock\nCtrl-C ends it.\n"
    ));
    text
}

/// Prints a line for each request, for ever.
pub(crate) async fn watch(mock: &Mock) {
    let mut seen = 0;
    loop {
        for entry in mock.log_since(seen) {
            let status = match entry.status {
                Some(status) => status.to_string(),
                None if entry.ending == Ending::Open => break,
                None => "---".to_owned(),
            };
            seen = entry.number + 1;
            let secret = entry.secret().unwrap_or_default();
            let name = mock.google(|google| google.key_name(&secret).map(str::to_owned));
            let name = name.unwrap_or_else(|| "(no known key)".to_owned());
            println!("{status}  {name:<14} {} {}", entry.method, entry.uri.path());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn limits(limits: &Limits) -> String {
    let dimensions = [
        (limits.rpm, "requests a minute"),
        (limits.tpm, "tokens a minute"),
        (limits.rpd, "requests a day"),
    ];
    let told: Vec<_> = dimensions
        .into_iter()
        .filter_map(|(limit, what)| limit.map(|limit| format!("{limit} {what}")))
        .collect();
    if told.is_empty() {
        "works, no limits".to_owned()
    } else {
        format!("works, {}", told.join(", "))
    }
}
