//! Keys, projects and the wording of true quotas.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_011_065);

fn google(limits: Limits) -> Google {
    let mut google = Google::new(Strangers::Refuse);
    google.put_project(Project { name: "one".into(), limits, ..Project::default() });
    for (secret, project, state) in [
        ("key-a-of-project-one", "one", None),
        ("key-b-of-project-one", "one", None),
        ("key-of-project-two", "two", None),
        ("key-that-leaked", "two", Some(ErrorName::Leaked)),
    ] {
        google.put_key(Key {
            secret: secret.into(),
            project: project.into(),
            state,
            ..Key::default()
        });
    }
    google
}

fn rpm(limit: u64) -> Limits {
    Limits { rpm: Some(limit), ..Limits::default() }
}

#[test]
fn keys_of_one_project_share_its_quota_and_models_do_not() {
    let mut google = google(rpm(1));
    assert!(google.call("key-a-of-project-one", "m", 1, NOW).is_ok());
    let refusal = google.call("key-b-of-project-one", "m", 1, NOW).unwrap_err();
    assert_eq!(refusal.status, 429);
    assert!(google.call("key-b-of-project-one", "another", 1, NOW).is_ok());
    assert!(google.call("key-of-project-two", "m", 1, NOW).is_ok());
}

#[test]
fn a_limit_of_a_model_replaces_those_of_the_project() {
    let mut google = google(rpm(1));
    let models = HashMap::from([("m".to_owned(), rpm(2))]);
    google.put_project(Project {
        name: "one".into(),
        limits: rpm(1),
        models,
        ..Project::default()
    });
    assert!(google.call("key-a-of-project-one", "m", 1, NOW).is_ok());
    assert!(google.call("key-a-of-project-one", "m", 1, NOW).is_ok());
    assert!(google.call("key-a-of-project-one", "m", 1, NOW).is_err());
}

#[test]
fn a_bad_key_costs_its_project_nothing() {
    let mut google = google(rpm(1));
    for _ in 0..3 {
        assert_eq!(google.call("key-that-leaked", "m", 1, NOW).unwrap_err().status, 403);
        assert_eq!(google.call("unheard of", "m", 1, NOW).unwrap_err().status, 400);
    }
    assert_eq!(google.levels(NOW), []);
}

#[test]
fn a_project_out_of_order_takes_its_keys_with_it() {
    let mut google = google(Limits::default());
    let state = Some(ErrorName::ServiceDisabled);
    google.put_project(Project { name: "one".into(), number: 42, state, ..Project::default() });
    let error = google.call("key-a-of-project-one", "m", 1, NOW).unwrap_err();
    assert!(error.message.contains("in project 42 before"), "{}", error.message);
    assert!(google.call("key-of-project-two", "m", 1, NOW).is_ok());
}

#[test]
fn strangers_may_be_let_in_each_as_a_project_of_its_own() {
    let mut google = Google::new(Strangers::Admit);
    let one = google.call("AIzaSyStranger1", "m", 1, NOW).unwrap();
    let two = google.call("AIzaSyStranger2", "m", 1, NOW).unwrap();
    assert_ne!(one, two);
    assert_eq!(google.call("AIzaSyStranger1", "m", 1, NOW), Ok(one));
}

#[test]
fn a_minute_quota_says_when_it_has_room_and_whole_seconds_in_the_details() {
    let mut google = google(rpm(1));
    let first = Timestamp::from_millis(NOW.as_millis() - 11_065);
    google.call("key-a-of-project-one", "gemini-2.5-flash", 1, first).unwrap();
    let error = google.call("key-a-of-project-one", "gemini-2.5-flash", 1, NOW).unwrap_err();
    assert!(error.message.ends_with(
        "\n* Quota exceeded for metric: generativelanguage.googleapis.com/\
         generate_content_free_tier_requests, limit: 1, model: gemini-2.5-flash\
         \nPlease retry in 48.935s."
    ));
    let [_, failure, retry] = &error.details[..] else { panic!("{error:?}") };
    let violation = &failure["violations"][0];
    assert_eq!(violation["quotaId"], "GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
    assert_eq!(violation["quotaValue"], "1");
    assert_eq!(violation["quotaDimensions"]["model"], "gemini-2.5-flash");
    assert_eq!(retry["retryDelay"], "48s");
}

#[test]
fn a_day_quota_advises_seconds_although_it_lasts_until_midnight() {
    let mut google = google(Limits { rpd: Some(1), ..Limits::default() });
    google.call("key-a-of-project-one", "m", 1, NOW).unwrap();
    let error = google.call("key-a-of-project-one", "m", 1, NOW).unwrap_err();
    let quota = &error.details[1]["violations"][0]["quotaId"];
    assert_eq!(quota, "GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    assert!(error.message.contains("Please retry in 28.935s."), "{}", error.message);
}

#[test]
fn a_limit_of_zero_has_no_quota_value() {
    let mut google = google(rpm(0));
    let error = google.call("key-a-of-project-one", "m", 1, NOW).unwrap_err();
    assert!(error.message.contains("limit: 0, model: m"), "{}", error.message);
    assert_eq!(error.details[1]["violations"][0].get("quotaValue"), None);
}

#[test]
fn paid_projects_have_quotas_without_the_free_tier_in_their_names() {
    let mut google = google(Limits::default());
    let limits = Limits { rpm: Some(0), tpm: Some(0), rpd: Some(0) };
    let project = google.put_project(Project {
        name: "p".into(),
        tier: Tier::Paid,
        limits,
        ..Project::default()
    });
    let error = google.admit(project, Metric::Generate, "m", 1, NOW).unwrap_err();
    let ids: Vec<_> = error.details[1]["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|violation| violation["quotaId"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
            "GenerateRequestsPerMinutePerProjectPerModel",
            "GenerateRequestsPerDayPerProjectPerModel"
        ]
    );
}
