//! The TOML file: a setting a line, under its name in lower case.
//!
//! Lists and tables are turned into the JSON text that the settings table reads, so that a list of
//! keys may be written as TOML's own lists and tables.
//!
//! Invariant: a name that is no setting is an error, so that no slip of the pen goes unnoticed.

use std::{fs, io::ErrorKind, path::Path};

use balance_core::settings::ROWS;
use toml::{Table, Value};

use super::Layer;

/// Reads the file at `path`, which may be absent unless it was asked for.
pub(super) fn read(path: &Path, asked_for: bool) -> Layer {
    let mut layer = Layer { place: path.display().to_string(), ..Layer::default() };
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, &mut layer),
        Err(error) if error.kind() == ErrorKind::NotFound && !asked_for => {}
        Err(error) => layer.wrong.push(format!("{}: it cannot be read: {error}", layer.place)),
    }
    layer
}

fn parse(text: &str, layer: &mut Layer) {
    let place = layer.place.clone();
    let table: Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => {
            // The error itself would show the line, which may hold a key.
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            layer.wrong.push(format!("{place}: line {line}: {}", error.message()));
            return;
        }
    };
    for (key, value) in table {
        let name = key.to_ascii_uppercase();
        if !is_setting(&name) || key != key.to_ascii_lowercase() {
            let hint = "settings are named in lower case; --help lists them";
            layer.wrong.push(format!("{place}: `{key}` is no setting ({hint})"));
            continue;
        }
        match written(value) {
            Some(text) => {
                layer.values.insert(name, text);
            }
            None => layer.wrong.push(format!("{place}: {key}: no setting is a date or a time")),
        }
    }
}

fn is_setting(name: &str) -> bool {
    ROWS.iter().any(|row| row.names.contains(&name))
}

/// The value as it would be written in the environment.
fn written(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(switch) => Some(switch.to_string()),
        Value::Datetime(_) => None,
        Value::Array(_) | Value::Table(_) => serde_json::to_string(&value).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Layer {
        let mut layer = Layer { place: "x.toml".into(), ..Layer::default() };
        parse(text, &mut layer);
        layer
    }

    #[test]
    fn values_of_every_kind_become_text() {
        let layer = parsed(
            r#"
            host = "::1"
            port = 80
            idle_seconds = 0.5
            open_pool = true
            access_tokens = ["a", "b"]
            [[api_keys]]
            key = "k1"
            weight = 2
            [[api_keys]]
            key = "k2"
            "#,
        );
        assert!(layer.wrong.is_empty(), "{:?}", layer.wrong);
        for (name, text) in [
            ("HOST", "::1"),
            ("PORT", "80"),
            ("IDLE_SECONDS", "0.5"),
            ("OPEN_POOL", "true"),
            ("ACCESS_TOKENS", r#"["a","b"]"#),
            ("API_KEYS", r#"[{"key":"k1","weight":2},{"key":"k2"}]"#),
        ] {
            assert_eq!(layer.values[name], text);
        }
    }

    #[test]
    fn other_names_of_a_setting_may_be_used() {
        assert_eq!(parsed("max_retries = 3").values["MAX_RETRIES"], "3");
    }

    #[test]
    fn what_is_no_setting_is_named() {
        let layer = parsed("pord = 1\nPORT = 2\nhost = 1979-05-27");
        assert_eq!(layer.wrong.len(), 3);
        assert!(layer.wrong[0].contains("`PORT`") && layer.wrong[2].contains("`pord`"));
        assert!(layer.values.is_empty());
    }

    #[test]
    fn a_line_that_is_no_toml_is_named_and_not_shown() {
        for text in ["port = 1\napi_keys = secret\n", "port = 1\napi_keys = \"secret\n"] {
            let layer = parsed(text);
            assert!(layer.wrong[0].starts_with("x.toml: line 2: "), "{:?}", layer.wrong);
            assert!(!layer.wrong[0].contains("secret"));
        }
    }

    #[test]
    fn a_file_that_was_asked_for_must_exist() {
        let nowhere = Path::new("/nowhere/x.toml");
        assert!(read(nowhere, false).wrong.is_empty());
        assert!(read(nowhere, true).wrong[0].starts_with("/nowhere/x.toml: it cannot be read"));
    }
}
