use super::super::model::family;
use super::*;

fn effort(effort: &str, model: &str) -> Option<ThinkingConfig<'static>> {
    of_effort(effort, Path::root("reasoning_effort")).unwrap().config(&family(model))
}

#[test]
fn efforts_are_tokens_for_gemini_2_5() {
    for (model, name, tokens) in [
        ("gemini-2.5-flash", "none", 0),
        ("gemini-2.5-flash", "minimal", 1024),
        ("gemini-2.5-flash", "low", 1024),
        ("gemini-2.5-flash", "medium", 8192),
        ("gemini-2.5-flash", "high", 24_576),
        ("gemini-2.5-flash", "max", 24_576),
        ("gemini-2.5-pro", "none", 128),
        ("gemini-2.5-pro", "xhigh", 32_768),
        ("gemini-2.5-flash-lite", "none", 0),
    ] {
        let config = effort(name, model).unwrap();
        assert_eq!(config.thinking_budget, Some(tokens), "{model} {name}");
        assert_eq!(config.include_thoughts, Some(name != "none"), "{model} {name}");
        assert_eq!(config.thinking_level, None);
    }
}

#[test]
fn efforts_are_levels_since_gemini_3() {
    for (model, levels) in [
        ("gemini-3-flash-preview", ["MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH", "HIGH"]),
        ("gemini-3.8-flash", ["LOW", "LOW", "LOW", "MEDIUM", "HIGH", "HIGH"]),
        ("gemini-3-pro-preview", ["LOW", "LOW", "LOW", "HIGH", "HIGH", "HIGH"]),
        ("gemini-3.1-flash-image", ["MINIMAL", "MINIMAL", "MINIMAL", "HIGH", "HIGH", "HIGH"]),
        ("gemini-4-hydrogen", ["LOW", "LOW", "LOW", "MEDIUM", "HIGH", "XHIGH"]),
    ] {
        let names = ["none", "minimal", "low", "medium", "high", "xhigh"];
        for (name, level) in names.into_iter().zip(levels) {
            let config = effort(name, model).unwrap();
            assert_eq!(config.thinking_level, Some(level), "{model} {name}");
            assert_eq!(config.thinking_budget, None);
        }
    }
}

#[test]
fn models_that_do_not_think_are_told_nothing() {
    for model in ["gemini-2.0-flash", "gemma-3-27b-it", "gemini-2.5-flash-image", "gpt-4o"] {
        assert_eq!(effort("high", model), None, "{model}");
    }
}

#[test]
fn tokens_are_kept_within_what_the_family_accepts() {
    let config = |tokens, model| Wish::tokens(tokens).config(&family(model)).unwrap();
    assert_eq!(config(100, "gemini-2.5-flash-lite").thinking_budget, Some(512));
    assert_eq!(config(99_999, "gemini-2.5-flash").thinking_budget, Some(24_576));
    assert_eq!(config(-1, "gemini-2.5-flash").thinking_budget, Some(-1));
    assert_eq!(config(0, "gemini-2.5-pro").thinking_budget, Some(128));
    assert_eq!(config(0, "gemini-3-flash").thinking_level, Some("MINIMAL"));
    assert_eq!(config(2000, "gemini-3-flash").thinking_level, Some("LOW"));
    assert_eq!(config(2048, "gemini-3-flash").thinking_level, Some("MEDIUM"));
    assert_eq!(config(16_384, "gemini-3-flash").thinking_level, Some("HIGH"));
    assert_eq!(config(-1, "gemini-3-flash").thinking_level, None);
}

#[test]
fn an_unknown_effort_is_refused() {
    let refusal = of_effort("lots", Path::root("reasoning_effort")).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("reasoning_effort"));
    assert_eq!(refusal.code, "invalid_value");
}
