//! Where settings come from: the environment over `.env` over `gemini-balance.toml`.
//!
//! Invariant: what is wrong is told all at once, each with its name and place, and no value is
//! repeated, since it may be a secret.

mod dotenv;
mod file;

use std::{
    collections::HashMap,
    env::{self, VarError},
    fmt,
    path::Path,
};

use balance_core::settings::{ROWS, Settings};

/// Read unless another file is asked for.
const CONFIG: &str = "gemini-balance.toml";
const DOTENV: &str = ".env";

/// Reads the settings from all places; `config` is a file to read in place of
/// `gemini-balance.toml`, and must exist.
///
/// # Errors
/// Everything that is wrong anywhere.
pub(crate) fn read(config: Option<&Path>) -> Result<Settings, WrongSettings> {
    let file = config.unwrap_or_else(|| Path::new(CONFIG));
    settle(&[
        environment(|name| env::var(name)),
        dotenv::read(Path::new(DOTENV)),
        file::read(file, config.is_some()),
    ])
}

/// What one place says.
#[derive(Debug, Default)]
struct Layer {
    /// How the place is called in errors.
    place: String,
    /// By name, in upper case.
    values: HashMap<String, String>,
    /// What could not be read.
    wrong: Vec<String>,
}

/// Settings that cannot be used: a line for each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongSettings(pub(crate) Vec<String>);

impl fmt::Display for WrongSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some settings cannot be used:")?;
        for line in &self.0 {
            write!(f, "\n  {line}")?;
        }
        f.write_str("\nPut these right and start again; --help describes every setting.")
    }
}

impl std::error::Error for WrongSettings {}

fn environment(value: impl Fn(&str) -> Result<String, VarError>) -> Layer {
    let mut layer = Layer { place: "environment".into(), ..Layer::default() };
    for name in ROWS.iter().flat_map(|row| row.names) {
        match value(name) {
            Ok(text) => {
                layer.values.insert((*name).into(), text);
            }
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => {
                layer.wrong.push(format!("{name} (environment): wanted UTF-8 text"));
            }
        }
    }
    layer
}

/// Reads the settings from layers, the strongest first. A setting that a layer has under any of its
/// names hides it in all layers below.
fn settle(layers: &[Layer]) -> Result<Settings, WrongSettings> {
    let mut given = HashMap::new();
    for row in ROWS {
        let found = layers.iter().find_map(|layer| {
            let name = row.names.iter().find(|name| layer.has(name))?;
            Some((*name, layer))
        });
        given.extend(found);
    }
    let value = |name: &str| given.get(name).and_then(|layer| layer.values.get(name)).cloned();
    let read = Settings::read(&value);
    let mut wrong: Vec<_> = layers.iter().flat_map(|layer| layer.wrong.clone()).collect();
    for setting in read.as_ref().err().into_iter().flatten() {
        let place = given.get(setting.name).map_or("default", |layer| &layer.place);
        wrong.push(format!("{} ({place}): {}", setting.name, setting.reason));
    }
    match read {
        Ok(settings) if wrong.is_empty() => Ok(settings),
        _ => Err(WrongSettings(wrong)),
    }
}

impl Layer {
    /// Whether a value is set; an empty one is not.
    fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|text| !text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(place: &str, values: &[(&str, &str)]) -> Layer {
        let values = values.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        Layer { place: place.into(), values, wrong: Vec::new() }
    }

    #[test]
    fn the_stronger_layer_wins_and_empty_values_do_not_count() {
        let settings = settle(&[
            layer("environment", &[("PORT", "1"), ("HOST", " ")]),
            layer(".env", &[("PORT", "2"), ("HOST", "::1"), ("IDLE_SECONDS", "7")]),
            layer("file", &[("IDLE_SECONDS", "8"), ("DEADLINE_SECONDS", "9")]),
        ])
        .unwrap();
        assert_eq!((settings.port.value(), settings.host.as_str()), (1, "::1"));
        assert_eq!((settings.idle.0.as_secs(), settings.deadline.0.as_secs()), (7, 9));
    }

    #[test]
    fn another_name_in_a_stronger_layer_hides_the_first_name_below() {
        let settings = settle(&[
            layer("environment", &[("MAX_RETRIES", "3")]),
            layer("file", &[("ATTEMPTS", "5")]),
        ])
        .unwrap();
        assert_eq!(settings.attempts.value(), 3);
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place_and_no_value() {
        let mut file = layer("gemini-balance.toml", &[("IDLE_SECONDS", "soon")]);
        file.wrong.push("gemini-balance.toml: `pord` is no setting".into());
        let environment = layer("environment", &[("PORT", "http"), ("API_KEYS", "bad key")]);
        let WrongSettings(lines) = settle(&[environment, file]).unwrap_err();
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[0].contains("`pord`"));
        assert!(lines[1].starts_with("PORT (environment): wanted a whole number"));
        assert!(lines[2].starts_with("API_KEYS (environment): key 1"));
        assert!(lines[3].starts_with("IDLE_SECONDS (gemini-balance.toml): wanted seconds"));
        let text = WrongSettings(lines).to_string();
        assert!(!["http", "soon", "bad key"].iter().any(|value| text.contains(value)));
    }

    #[test]
    fn the_environment_is_read_by_known_names_only() {
        let layer = environment(|name| match name {
            "PORT" => Ok("1".into()),
            "HOST" => Err(VarError::NotUnicode("x".into())),
            _ => Err(VarError::NotPresent),
        });
        assert_eq!(layer.values.len(), 1);
        assert_eq!(layer.wrong, ["HOST (environment): wanted UTF-8 text"]);
    }
}
