use super::{Asked, Effort, ModelMap, Naming, Suffixes};
use crate::preset::Patterns;

fn list(names: &[&str]) -> Patterns {
    names.iter().copied().collect()
}

fn naming() -> Naming {
    Naming {
        map: ModelMap { rows: Vec::new(), knows_openai: true },
        search: list(&["gemini-*", "gemini-2.5-pro"]),
        image: list(&["gemini-2.0-flash-exp"]),
        thinking: list(&["gemini-*", "gemini-2.5-pro"]),
        hidden: list(&["gemini-1*", "gemini-2.5-pro-thinking"]),
    }
}

fn asked(naming: &Naming, name: &str) -> (String, Suffixes) {
    let Asked { model, suffixes, .. } = naming.resolve(name).unwrap();
    (model, suffixes)
}

#[test]
fn suffixes_are_taken_from_the_end_of_a_name_in_any_order() {
    const NONE: Suffixes = Suffixes { search: false, image: false, thinking: None };
    const SEARCH: Suffixes = Suffixes { search: true, ..NONE };
    const LEAST: Suffixes = Suffixes { thinking: Some(Effort::Least), ..NONE };
    const USUAL: Suffixes = Suffixes { thinking: Some(Effort::Usual), ..NONE };
    const MOST: Suffixes = Suffixes { thinking: Some(Effort::Most), ..NONE };
    for (name, model, suffixes) in [
        ("gemini-2.5-pro", "gemini-2.5-pro", NONE),
        ("gemini-2.5-pro-search", "gemini-2.5-pro", SEARCH),
        ("gemini-2.5-pro:search", "gemini-2.5-pro", SEARCH),
        ("gemini-2.5-flash-non-thinking", "gemini-2.5-flash", LEAST),
        ("gemini-2.5-flash-nothinking", "gemini-2.5-flash", LEAST),
        ("gemini-2.5-flash-thinking", "gemini-2.5-flash", USUAL),
        ("gemini-2.5-flash-maxthinking", "gemini-2.5-flash", MOST),
        (
            "gemini-2.5-flash-search-non-thinking",
            "gemini-2.5-flash",
            Suffixes { search: true, ..LEAST },
        ),
        (
            "gemini-2.5-flash-thinking-search",
            "gemini-2.5-flash",
            Suffixes { search: true, ..USUAL },
        ),
        ("gemini-2.0-flash-exp-image", "gemini-2.0-flash-exp", Suffixes { image: true, ..NONE }),
        (
            "gemini-2.0-flash-exp-image-search",
            "gemini-2.0-flash-exp",
            Suffixes { image: true, search: true, thinking: None },
        ),
        // Names that Google gave.
        ("gemini-2.5-flash-image", "gemini-2.5-flash-image", NONE),
        ("gemini-2.5-flash-image-search", "gemini-2.5-flash-image", SEARCH),
        ("gemini-3-pro-image", "gemini-3-pro-image", NONE),
        ("gemini-3.8-live-extended-thinking", "gemini-3.8-live-extended-thinking", NONE),
        // A suffix that the model's list does not allow is a part of the name.
        ("gemma-3-27b-it-search", "gemma-3-27b-it-search", NONE),
        ("gemini-3.8-flash-image", "gemini-3.8-flash-image", NONE),
        ("-search", "-search", NONE),
        ("", "", NONE),
    ] {
        assert_eq!(asked(&naming(), name), (model.to_owned(), suffixes), "{name}");
    }
}

#[test]
fn names_of_openais_models_stand_for_googles_unless_that_is_off() {
    let search = Suffixes { search: true, ..Suffixes::default() };
    for (name, model, suffixes) in [
        ("gpt-4o", "gemini-flash-latest", Suffixes::default()),
        ("gpt-4o-mini", "gemini-flash-lite-latest", Suffixes::default()),
        ("gpt-4o-search-preview", "gemini-flash-latest", search),
        ("gpt-4o:search", "gemini-flash-latest", search),
        ("o3", "gemini-pro-latest", Suffixes::default()),
        ("text-embedding-3-small", "gemini-embedding-001", Suffixes::default()),
        ("text-embedding-004", "text-embedding-004", Suffixes::default()),
        ("claude-4", "claude-4", Suffixes::default()),
    ] {
        assert_eq!(asked(&naming(), name), (model.to_owned(), suffixes), "{name}");
    }
    let off = Naming { map: ModelMap::default(), ..naming() };
    assert_eq!(asked(&off, "gpt-4o").0, "gpt-4o");
}

#[test]
fn the_operators_map_goes_before_openais_names_and_a_star_behind_them() {
    let rows = [
        ("gpt-4*", "gemini-2.5-pro"),
        ("fast", "gemini-2.5-flash-non-thinking"),
        ("*", "gemini-x"),
    ];
    let rows = rows.map(|(from, to)| (from.to_owned(), to.to_owned())).to_vec();
    let naming = Naming { map: ModelMap { rows, knows_openai: true }, ..naming() };
    for (name, model) in [
        ("gpt-4o", "gemini-2.5-pro"),
        ("gpt-4o-search", "gemini-2.5-pro"),
        ("gpt-5", "gemini-flash-latest"),
        ("text-embedding-3-small", "gemini-embedding-001"),
        ("claude-4", "gemini-x"),
        ("claude-4-search", "gemini-x"),
        ("gemini-3.8-flash", "gemini-3.8-flash"),
        ("gemma-3-27b-it", "gemma-3-27b-it"),
    ] {
        assert_eq!(asked(&naming, name).0, model, "{name}");
    }
    let fast = asked(&naming, "fast");
    assert_eq!(fast.0, "gemini-2.5-flash");
    assert_eq!(fast.1.thinking, Some(Effort::Least));
}

#[test]
fn a_hidden_model_is_refused_by_every_name() {
    for name in ["gemini-1.5-pro", "gemini-1.5-pro-search", "gemini-2.5-pro-thinking"] {
        let refusal = naming().resolve(name).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("model"), "{name}");
        assert_eq!(refusal.code, "model_not_found");
    }
    assert!(naming().resolve("gemini-2.5-pro-non-thinking").is_ok());
}

#[test]
fn models_named_in_full_are_listed_with_their_suffixes() {
    let ids = |model: &str| -> Vec<String> {
        naming().listed(model).into_iter().map(|listed| listed.id).collect()
    };
    let pro = ["gemini-2.5-pro", "gemini-2.5-pro-search", "gemini-2.5-pro-non-thinking"];
    assert_eq!(ids("gemini-2.5-pro"), pro);
    assert_eq!(ids("gemini-3.8-flash"), ["gemini-3.8-flash"]);
    let exp = ["gemini-2.0-flash-exp", "gemini-2.0-flash-exp-image"];
    assert_eq!(ids("gemini-2.0-flash-exp"), exp);
    assert_eq!(ids("gemini-1.5-pro"), Vec::<String>::new());
}
