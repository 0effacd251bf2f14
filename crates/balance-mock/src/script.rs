//! The script: rules waiting for requests. Invariant: one rule applies to a request, the first
//! that fits; rules for a number of requests come before those for ever, each in order of arrival.

use std::sync::Arc;

use crate::rule::{Rule, Traits};

/// All rules.
#[derive(Debug, Default)]
pub(crate) struct Script {
    counted: Vec<(Arc<Rule>, u32)>,
    standing: Vec<Arc<Rule>>,
}

impl Script {
    /// Adds a rule behind the others of its kind.
    pub(crate) fn push(&mut self, rule: Rule) {
        match rule.times {
            Some(0) => {}
            Some(times) => self.counted.push((Arc::new(rule), times)),
            None => self.standing.push(Arc::new(rule)),
        }
    }

    /// The rule for this request; one of its times is used up.
    pub(crate) fn take(&mut self, request: &Traits<'_>) -> Option<Arc<Rule>> {
        let fitting = |(_, (rule, _)): &(usize, &mut (Arc<Rule>, u32))| rule.fits(request);
        if let Some((index, (rule, left))) = self.counted.iter_mut().enumerate().find(fitting) {
            let rule = Arc::clone(rule);
            *left -= 1;
            if *left == 0 {
                self.counted.remove(index);
            }
            return Some(rule);
        }
        self.standing.iter().find(|rule| rule.fits(request)).cloned()
    }

    /// Whether there is no rule.
    pub(crate) fn is_empty(&self) -> bool {
        self.counted.is_empty() && self.standing.is_empty()
    }

    /// Forgets all rules.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The rules that are left, `times` counted down.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let counted = self
            .counted
            .iter()
            .map(|(rule, left)| Rule { times: Some(*left), ..Rule::clone(rule) });
        counted.chain(self.standing.iter().map(|rule| Rule::clone(rule))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google::ErrorName;

    fn request<'a>(key: &'a str, model: &'a str) -> Traits<'a> {
        Traits {
            key: Some(key),
            key_name: Some("good-1"),
            model: Some(model),
            path: "/v1beta/models/m:generateContent?alt=sse",
            method: "POST",
        }
    }

    #[test]
    fn counted_rules_come_first_and_are_used_up() {
        let mut script = Script::default();
        script.push(Rule::error(ErrorName::Internal));
        script.push(Rule::error(ErrorName::Overloaded).times(2));
        script.push(Rule::error(ErrorName::Leaked).times(1));
        let mut next = || script.take(&request("k", "m")).and_then(|rule| rule.error);
        assert_eq!(next(), Some(ErrorName::Overloaded));
        assert_eq!(next(), Some(ErrorName::Overloaded));
        assert_eq!(next(), Some(ErrorName::Leaked));
        assert_eq!(next(), Some(ErrorName::Internal));
        assert_eq!(next(), Some(ErrorName::Internal));
    }

    #[test]
    fn a_rule_applies_only_where_all_its_conditions_hold() {
        let mut script = Script::default();
        let sse = Rule { path: Some("alt=sse".into()), ..Rule::error(ErrorName::Internal) };
        script.push(sse.clone().on_key("good-1").on_model("m"));
        assert!(script.take(&request("k", "m")).is_some(), "by name");
        assert!(script.take(&request("k", "other")).is_none());
        script.clear();
        script.push(sse.clone().on_key("k"));
        assert!(script.take(&request("k", "m")).is_some(), "by secret");
        assert!(script.take(&request("good", "m")).is_none());
        script.clear();
        script.push(Rule { method: Some("GET".into()), ..sse });
        assert!(script.take(&request("k", "m")).is_none());
    }

    #[test]
    fn a_typing_error_in_a_rule_is_refused_and_named() {
        let error = serde_json::from_str::<Rule>(r#"{"delay": 1}"#).unwrap_err().to_string();
        assert!(error.contains("`delay`") && error.contains("`delay_ms`"), "{error}");
        let error = serde_json::from_str::<Rule>(r#"{"error": "leak"}"#).unwrap_err().to_string();
        assert!(error.contains("\"leak\"") && error.contains("leaked"), "{error}");
    }
}
