use serde_json::{Value, json};

use crate::preset::{Asked, Effort, Patterns, Preset, Prompt, PromptPlace, Suffixes, ThinkingMap};

const SEARCH: Suffixes = Suffixes { search: true, image: false, thinking: None };

fn asked(model: &str, suffixes: Suffixes) -> Asked {
    Asked { name: model.to_owned(), model: model.to_owned(), suffixes }
}

/// What becomes of a request; itself when it stays as it is.
fn tuned(preset: &Preset, asked: &Asked, body: &Value) -> Value {
    let text = body.to_string();
    let tuned = preset.tune(asked, text.as_bytes());
    tuned.map_or_else(|| body.clone(), |tuned| serde_json::from_slice(&tuned).unwrap())
}

fn said(more: &Value) -> Value {
    let mut body = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn nothing_set_leaves_the_bytes_alone() {
    let plain = asked("gemini-2.5-flash", Suffixes::default());
    assert_eq!(Preset::default().tune(&plain, br#"{"contents": []}"#), None);
    let search = asked("gemini-2.5-flash", SEARCH);
    for odd in ["", "[]", "{", "x"] {
        assert_eq!(Preset::default().tune(&search, odd.as_bytes()), None, "{odd}");
    }
}

#[test]
fn what_nobody_sets_stays_byte_for_byte() {
    let body =
        br#"{ "contents" : [ {"parts":[{"text":"\u00e9"}]} ],"x":1.50, "tools" : [ {"a" :1} ]}"#;
    let tuned = Preset::default().tune(&asked("gemini-2.5-flash", SEARCH), body).unwrap();
    let expected = r#"{"contents":[ {"parts":[{"text":"\u00e9"}]} ],"x":1.50,"tools":[{"a" :1},{"googleSearch":{}}]}"#;
    assert_eq!(String::from_utf8(tuned).unwrap(), expected);
}

#[test]
fn a_search_is_added_where_it_goes_together_with_the_request() {
    let functions = json!([{ "functionDeclarations": [{ "name": "f" }] }]);
    let json_form = json!({ "generationConfig": { "responseMimeType": "application/json" } });
    let both = json!([{ "functionDeclarations": [{ "name": "f" }] }, { "googleSearch": {} }]);
    for (model, body, tools) in [
        ("gemini-2.5-flash", json!({}), json!([{ "googleSearch": {} }])),
        ("gemini-3-pro-image", json!({}), json!([{ "googleSearch": {} }])),
        (
            "gemini-2.5-flash",
            json!({ "tools": [{ "google_search": {} }] }),
            json!([{ "google_search": {} }]),
        ),
        ("gemini-2.5-flash", json!({ "tools": functions }), functions.clone()),
        ("gemini-3.8-flash", json!({ "tools": functions }), both),
        ("gemini-2.5-flash", json_form.clone(), Value::Null),
        ("gemini-3.8-flash", json_form, json!([{ "googleSearch": {} }])),
        ("gemini-2.5-flash", json!({ "cachedContent": "cachedContents/x" }), Value::Null),
    ] {
        let tuned = tuned(&Preset::default(), &asked(model, SEARCH), &said(&body));
        assert_eq!(tuned["tools"], tools, "{model} {body}");
        let mixes = model == "gemini-3.8-flash" && body.get("tools").is_some();
        let expected = if mixes { json!(true) } else { Value::Null };
        assert_eq!(tuned["toolConfig"]["includeServerSideToolInvocations"], expected, "{model}");
    }
}

#[test]
fn code_and_pages_are_added_for_models_that_take_them_beside_the_request() {
    let url_context: Patterns = ["gemini-*"].into_iter().collect();
    let preset = Preset { code_execution: true, url_context, ..Preset::default() };
    let both = json!([{ "urlContext": {} }, { "codeExecution": {} }]);
    let functions = json!([{ "function_declarations": [{ "name": "f" }] }]);
    let image = Suffixes { image: true, ..Suffixes::default() };
    for (model, suffixes, body, tools) in [
        ("gemini-2.5-flash", Suffixes::default(), json!({}), both.clone()),
        ("gemini-3.8-flash", Suffixes::default(), json!({}), both),
        (
            "gemini-2.5-flash",
            SEARCH,
            json!({}),
            json!([{ "googleSearch": {} }, { "urlContext": {} }]),
        ),
        (
            "gemini-2.5-flash",
            Suffixes::default(),
            json!({ "tools": [{ "googleSearch": {} }] }),
            json!([{ "googleSearch": {} }, { "urlContext": {} }]),
        ),
        ("gemini-3.8-flash", Suffixes::default(), json!({ "tools": functions }), functions),
        ("gemini-2.5-flash-image", Suffixes::default(), json!({}), Value::Null),
        ("gemini-2.5-flash", image, json!({}), Value::Null),
        ("gemini-2.5-flash-preview-tts", Suffixes::default(), json!({}), Value::Null),
        ("gemma-3-27b-it", Suffixes::default(), json!({}), Value::Null),
        (
            "gemini-2.5-flash",
            Suffixes::default(),
            json!({ "generation_config": { "response_mime_type": "application/json" } }),
            Value::Null,
        ),
    ] {
        let tuned = tuned(&preset, &asked(model, suffixes), &said(&body));
        assert_eq!(tuned["tools"], tools, "{model} {body}");
    }
}

#[test]
fn the_clients_own_words_about_thinking_win() {
    let thinking = ThinkingMap::read(r#"{"gemini-*": 5000}"#).unwrap();
    let preset = Preset { thinking, shows_thoughts: true, ..Preset::default() };
    let least = Suffixes { thinking: Some(Effort::Least), ..Suffixes::default() };
    for (suffixes, own, expected) in [
        (
            Suffixes::default(),
            json!({}),
            json!({ "thinkingBudget": 5000, "includeThoughts": true }),
        ),
        (least, json!({}), json!({ "thinkingBudget": 0, "includeThoughts": false })),
        (least, json!({ "thinkingBudget": 7 }), json!({ "thinkingBudget": 7 })),
        (least, json!({ "thinking_level": "low" }), json!({ "thinking_level": "low" })),
        (
            Suffixes::default(),
            json!({ "includeThoughts": false }),
            json!({ "includeThoughts": false, "thinkingBudget": 5000 }),
        ),
    ] {
        let body = said(&json!({ "generationConfig": { "thinkingConfig": own, "seed": 1 } }));
        let tuned = tuned(&preset, &asked("gemini-2.5-flash", suffixes), &body);
        let config = &tuned["generationConfig"];
        assert_eq!((&config["thinkingConfig"], &config["seed"]), (&expected, &json!(1)), "{own}");
    }
}

#[test]
fn pictures_are_asked_for_unless_the_client_says_what_it_wants() {
    let image = asked("gemini-2.0-flash-exp", Suffixes { image: true, ..Suffixes::default() });
    let preset = Preset::default();
    let plain = tuned(&preset, &image, &said(&json!({})));
    assert_eq!(plain["generationConfig"]["responseModalities"], json!(["TEXT", "IMAGE"]));
    let own = json!({ "generationConfig": { "responseModalities": ["IMAGE"] } });
    let own = tuned(&preset, &image, &said(&own));
    assert_eq!(own["generationConfig"]["responseModalities"], json!(["IMAGE"]));
}

#[test]
fn safety_settings_are_set_only_where_the_client_has_none() {
    let off = json!([{ "category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF" }]);
    let safety_settings = Some(serde_json::value::to_raw_value(&off).unwrap());
    let preset = Preset { safety_settings, ..Preset::default() };
    let plain = asked("gemini-2.5-flash", Suffixes::default());
    assert_eq!(tuned(&preset, &plain, &said(&json!({})))["safetySettings"], off);
    for own in [json!({ "safetySettings": [] }), json!({ "safety_settings": [{ "x": 1 }] })] {
        let body = said(&own);
        assert_eq!(tuned(&preset, &plain, &body), body);
    }
}

#[test]
fn the_operators_words_stand_where_they_are_to_stand() {
    let words = json!({ "text": "Be kind." });
    let hi = json!({ "text": "Hi" });
    let own = json!({ "systemInstruction": { "parts": [{ "text": "Own." }] } });
    for (place, model, body, pointer, expected) in [
        (
            PromptPlace::System,
            "gemini-2.5-flash",
            json!({}),
            "/systemInstruction/parts",
            json!([words]),
        ),
        (
            PromptPlace::System,
            "gemini-2.5-flash",
            own,
            "/systemInstruction/parts",
            json!([words, { "text": "Own." }]),
        ),
        (PromptPlace::System, "gemma-3-27b-it", json!({}), "/contents/0/parts", json!([words, hi])),
        (
            PromptPlace::System,
            "gemini-2.5-flash",
            json!({ "cachedContent": "cachedContents/x" }),
            "/contents/0/parts",
            json!([words, hi]),
        ),
        (
            PromptPlace::UserPrefix,
            "gemini-2.5-flash",
            json!({}),
            "/contents/0/parts",
            json!([words, hi]),
        ),
        (
            PromptPlace::UserSuffix,
            "gemini-2.5-flash",
            json!({}),
            "/contents/0/parts",
            json!([hi, words]),
        ),
    ] {
        let prompt = Some(Prompt { text: "Be kind.".to_owned(), place });
        let preset = Preset { prompt, ..Preset::default() };
        let tuned = tuned(&preset, &asked(model, Suffixes::default()), &said(&body));
        assert_eq!(tuned.pointer(pointer), Some(&expected), "{place:?} {model}");
    }
}

#[test]
fn the_users_last_words_are_not_the_results_of_calls() {
    let contents = json!([
        { "role": "user", "parts": [{ "text": "Weather?" }] },
        { "role": "model", "parts": [{ "functionCall": { "name": "f" } }] },
        { "role": "user", "parts": [{ "functionResponse": { "name": "f", "response": {} } }] },
    ]);
    let prompt = Prompt { text: "Be kind.".to_owned(), place: PromptPlace::UserSuffix };
    let preset = Preset { prompt: Some(prompt), ..Preset::default() };
    let plain = asked("gemini-2.5-flash", Suffixes::default());
    let tuned = tuned(&preset, &plain, &json!({ "contents": contents }));
    let first = json!([{ "text": "Weather?" }, { "text": "Be kind." }]);
    assert_eq!(tuned["contents"][0]["parts"], first);
    assert_eq!((&tuned["contents"][1], &tuned["contents"][2]), (&contents[1], &contents[2]));
}

#[test]
fn the_body_names_the_model_that_is_asked() {
    let search = Asked {
        name: "gemini-2.5-flash-search".to_owned(),
        model: "gemini-2.5-flash".to_owned(),
        suffixes: SEARCH,
    };
    let body = said(&json!({ "model": "models/gemini-2.5-flash-search" }));
    let tuned = tuned(&Preset::default(), &search, &body);
    assert_eq!(tuned["model"], "models/gemini-2.5-flash");
}
