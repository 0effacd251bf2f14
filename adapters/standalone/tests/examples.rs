//! The example files list every setting, and are made from the table of settings, so that they
//! cannot go out of date. `UPDATE=1 cargo test -p gemini-balance --test examples` writes them anew.

#![cfg(test)]

use std::{env, fmt::Write as _, fs, path::Path};

use balance_core::settings::{ROWS, Row};

#[test]
fn the_env_example_lists_every_setting() {
    let mut text = String::from(
        "# Settings of Gemini Balance. Copy this file to .env and take the # from the lines to \
         change.\n# What stands there is the default. Values need no quotes; nothing is \
         substituted.\n",
    );
    for row in ROWS {
        describe(&mut text, row);
        let name = row.names.first().unwrap();
        writeln!(text, "#{name}={}", row.default).unwrap();
    }
    compare(".env.example", &text);
}

#[test]
fn the_toml_example_lists_every_setting() {
    let mut text = String::from(
        "# Settings of Gemini Balance. Copy this file to gemini-balance.toml and take the # from \
         the lines\n# to change. What stands there is the default. The environment and .env are \
         stronger.\n",
    );
    for row in ROWS {
        describe(&mut text, row);
        let name = row.names.first().unwrap().to_lowercase();
        writeln!(text, "#{name} = {}", toml_value(row)).unwrap();
    }
    text.push_str(KEYS_AS_TABLES);
    let read: toml::Table = toml::from_str(&text.replace("\n#api", "\napi")).unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["api_keys"]);
    compare("gemini-balance.example.toml", &text);
}

const KEYS_AS_TABLES: &str = "
# Keys of which more is known may be written as tables, at the end of the file, in place of their
# line above:
#[[api_keys]]
#key = \"AIza…\"
#weight = 2
#project = \"billing-eu\"
#tier = \"paid\"
";

/// The doc line and the other names, as comments.
fn describe(text: &mut String, row: &Row) {
    text.push('\n');
    let mut line = String::from("#");
    for word in row.doc.split_whitespace() {
        if line.chars().count() + word.chars().count() > 98 {
            writeln!(text, "{line}").unwrap();
            line = String::from("#");
        }
        write!(line, " {word}").unwrap();
    }
    writeln!(text, "{line}").unwrap();
    if let [_, others @ ..] = row.names
        && !others.is_empty()
    {
        writeln!(text, "# Also read as {}.", others.join(", ")).unwrap();
    }
}

/// The default as TOML: numbers and switches stand bare.
fn toml_value(row: &Row) -> String {
    let bare = row.default.parse::<f64>().is_ok() || row.default.parse::<bool>().is_ok();
    if bare { row.default.into() } else { format!("{:?}", row.default) }
}

fn compare(name: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, expected).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{name} is out of date; UPDATE=1 cargo test -p gemini-balance --test examples"
    );
}
