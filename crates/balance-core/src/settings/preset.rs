//! The settings of what is preset for all requests, as they are written.
//!
//! Invariant: what is accepted here can be sent to Google; its meaning is in
//! [`balance_dialect::preset`].

use balance_dialect::preset::{
    ModelMap, Naming, Patterns, Preset, Prompt, PromptPlace, ThinkingMap,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Settings,
    value::{Value, WrongValue, texts},
};

impl Settings {
    /// What is preset for all requests.
    #[must_use]
    pub fn preset(&self) -> Preset {
        let text = self.inject_prompt.trim();
        let place = self.inject_prompt_position;
        Preset {
            naming: Naming {
                map: self.model_map.clone(),
                search: self.search_models.clone(),
                image: self.image_models.clone(),
                thinking: self.thinking_models.clone(),
                hidden: self.filtered_models.clone(),
            },
            tells_model: self.answer_real_model.0,
            safety_settings: self.safety_settings.0.clone(),
            thinking: self.thinking_budget_map.clone(),
            shows_thoughts: self.show_thoughts.0,
            shows_sources: self.show_sources.0,
            code_execution: self.code_execution.0,
            url_context: match self.url_context.0 {
                true => self.url_context_models.clone(),
                false => Patterns::default(),
            },
            prompt: (!text.is_empty()).then(|| Prompt { text: text.to_owned(), place }),
        }
    }
}

impl Value for Patterns {
    const KIND: &'static str = "names of models, by commas or as a JSON list";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        Ok(texts(text)?.into_iter().collect())
    }
}

impl Value for ModelMap {
    const KIND: &'static str = "JSON object of names, or off";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::default());
        }
        let rows: serde_json::Map<String, serde_json::Value> = match text {
            "" => serde_json::Map::new(),
            text => balance_dialect::json::read_str(text).map_err(|_| wrong_map())?,
        };
        let bare = |name: &str| name.trim().trim_start_matches("models/").to_owned();
        let rows = rows.into_iter().map(|(name, model)| match model.as_str().map(bare) {
            Some(model) if !model.is_empty() => Ok((bare(&name), model)),
            _ => Err(wrong_map()),
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()?, knows_openai: true })
    }
}

fn wrong_map() -> WrongValue {
    WrongValue("wanted a JSON object such as {\"gpt-4o\": \"gemini-2.5-pro\"}, or off".into())
}

impl Value for ThinkingMap {
    const KIND: &'static str = "JSON object of tokens or efforts";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let wanted = "wanted a JSON object such as {\"gemini-2.5-flash\": 4000, \"gemini-3*\": \
                      \"low\"}; -1 lets the model decide, and efforts are none, minimal, low, \
                      medium, high, max and auto";
        let text = if text.is_empty() { "{}" } else { text };
        Self::read(text).ok_or_else(|| WrongValue(wanted.into()))
    }
}

impl Value for PromptPlace {
    const KIND: &'static str = "system, user_prefix or user_suffix";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        match text {
            "system" => Ok(Self::System),
            "user_prefix" => Ok(Self::UserPrefix),
            "user_suffix" => Ok(Self::UserSuffix),
            _ => Err(WrongValue("wanted system, user_prefix or user_suffix".into())),
        }
    }
}

/// Google's `safetySettings`, as they are sent.
#[derive(Debug, Clone, Default)]
pub struct SafetySettings(pub Option<Box<RawValue>>);

impl Value for SafetySettings {
    const KIND: &'static str = "JSON list";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        #[expect(dead_code, reason = "read to see that they are there")]
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct SafetySetting {
            category: String,
            threshold: String,
        }
        if text.is_empty() {
            return Ok(Self(None));
        }
        let wanted = "wanted a JSON list such as [{\"category\": \"HARM_CATEGORY_HARASSMENT\", \
                      \"threshold\": \"OFF\"}]";
        balance_dialect::json::read_str::<Vec<SafetySetting>>(text)
            .and_then(|_| RawValue::from_string(text.to_owned()))
            .map(|settings| Self(Some(settings)))
            .map_err(|_| WrongValue(wanted.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_models_has_openais_names_unless_it_is_off() {
        let map = ModelMap::parse(r#"{"models/a": " models/b "}"#).unwrap();
        assert_eq!(map.rows, [("a".to_owned(), "b".to_owned())]);
        assert!(map.knows_openai && ModelMap::parse("").unwrap().knows_openai);
        assert_eq!(ModelMap::parse("off"), Ok(ModelMap::default()));
        for wrong in ["a=b", "[]", r#"{"a": 1}"#, r#"{"a": " "}"#] {
            assert!(ModelMap::parse(wrong).unwrap_err().0.contains("wanted"), "{wrong}");
        }
    }

    #[test]
    fn safety_settings_are_sent_as_they_are_written() {
        let text = r#"[{"category": "HARM_CATEGORY_HARASSMENT",  "threshold": "OFF"}]"#;
        assert_eq!(SafetySettings::parse(text).unwrap().0.unwrap().get(), text);
        assert!(SafetySettings::parse("").unwrap().0.is_none());
        for wrong in ["{}", "[1]", r#"[{"category": "x"}]"#, "OFF"] {
            assert!(SafetySettings::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_of_thinking_and_places_are_read() {
        assert!(ThinkingMap::parse(r#"{"gemini-2.5-pro": 1000, "gemini-3*": "low"}"#).is_ok());
        assert_eq!(ThinkingMap::parse(""), Ok(ThinkingMap::default()));
        assert!(ThinkingMap::parse(r#"{"a": "much"}"#).unwrap_err().0.contains("efforts"));
        assert_eq!(PromptPlace::parse("user_prefix"), Ok(PromptPlace::UserPrefix));
        assert!(PromptPlace::parse("end").is_err());
    }

    #[test]
    fn a_preset_has_what_its_settings_say() {
        let pairs = [
            ("SHOW_THINKING_PROCESS", "false"),
            ("URL_CONTEXT_ENABLED", "true"),
            ("URL_CONTEXT_MODELS", "[\"gemini-2.5-pro\"]"),
            ("IMAGE_MODELS", "gemini-x"),
            ("SEARCH_MODELS", "[]"),
        ];
        let settings = Settings::read(&|name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let preset = settings.unwrap().preset();
        assert!(!preset.shows_thoughts && preset.prompt.is_none());
        assert!(preset.url_context.name("gemini-2.5-pro"));
        assert!(!preset.url_context.match_name("gemini-2.5-flash"));
        let model = |name: &str| preset.naming.resolve(name).unwrap().model;
        assert_eq!(model("gemini-x-image"), "gemini-x");
        assert_eq!(model("gemini-2.5-pro-search"), "gemini-2.5-pro-search");
    }
}
