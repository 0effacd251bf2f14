//! From a rule to the steps of a body.

use super::*;

fn steps(rule: &Rule) -> Vec<Step> {
    let pieces = ["abcd", "efgh", "ij"].map(|text| Bytes::from_static(text.as_bytes()));
    sending(Reply::stream(Form::Sse, pieces.into()), Some(rule), &Place::default()).steps
}

fn send(text: &'static str) -> Step {
    Step::Send(Bytes::from_static(text.as_bytes()))
}

#[test]
fn a_rule_without_faults_changes_nothing() {
    assert_eq!(steps(&Rule::default()), [send("abcd"), send("efgh"), send("ij")]);
}

#[test]
fn a_pace_is_kept_from_the_start_and_not_from_the_last_event() {
    let at = |millis| Step::Until(Duration::from_millis(millis));
    let rule = Rule { pace_ms: Some(20), ..Rule::default() };
    assert_eq!(steps(&rule), [send("abcd"), at(20), send("efgh"), at(40), send("ij")]);
}

#[test]
fn chunks_do_not_run_over_events() {
    let flush = Step::Flush;
    let rule = Rule { chunk: Some(3), ..Rule::default() };
    let sent =
        ["abc", "d", "efg", "h", "ij"].into_iter().flat_map(|text| [send(text), flush.clone()]);
    assert_eq!(steps(&rule), sent.collect::<Vec<_>>());
}

#[test]
fn a_cut_falls_at_its_byte_inside_an_event_or_between_two() {
    let end = [Step::Pause(SETTLE), Step::Cut];
    for (cut, sent) in [
        (0, &[][..]),
        (3, &["abc"]),
        (4, &["abcd"]),
        (5, &["abcd", "e"]),
        (99, &["abcd", "efgh", "ij"]),
    ] {
        let rule = Rule { cut: Some(cut), ..Rule::default() };
        let expected: Vec<_> = sent.iter().map(|text| send(text)).chain(end.clone()).collect();
        assert_eq!(steps(&rule), expected, "cut at {cut}");
    }
}
