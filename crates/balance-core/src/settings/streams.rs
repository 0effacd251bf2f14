//! How streams are given: as they come, or staged.
//!
//! Invariant: off unless an operator switches it on.

use balance_dialect::pace::Pace;

use super::Settings;

impl Settings {
    /// Whether a stream of this model is made of an answer that is asked for as a whole.
    #[must_use]
    pub fn fakes_stream(&self, model: &str) -> bool {
        self.fake_stream.0 && self.fake_stream_models.match_name(model)
    }

    /// The pace that streams are given at; `None` gives them as they come.
    #[must_use]
    pub fn pace(&self) -> Option<Pace> {
        self.stream_optimizer.0.then_some(Pace {
            shortest_wait: self.stream_min_delay.0,
            longest_wait: self.stream_max_delay.0,
            short: self.stream_short_text_threshold.as_usize(),
            long: self.stream_long_text_threshold.as_usize(),
            piece: self.stream_chunk_size.as_usize(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::read(&|name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
        .unwrap()
    }

    #[test]
    fn streams_come_as_they_are_by_default() {
        assert_eq!(settings(&[]).pace(), None);
        assert!(!settings(&[("FAKE_STREAM_MODELS", "*")]).fakes_stream("gemini-2.5-flash"));
    }

    #[test]
    fn the_pace_is_set_by_its_five_numbers() {
        let settings = settings(&[
            ("STREAM_OPTIMIZER_ENABLED", "true"),
            ("STREAM_MIN_DELAY", "0.01"),
            ("STREAM_MAX_DELAY", "0.5"),
            ("STREAM_SHORT_TEXT_THRESHOLD", "3"),
            ("STREAM_LONG_TEXT_THRESHOLD", "30"),
            ("STREAM_CHUNK_SIZE", "7"),
        ]);
        let (shortest_wait, longest_wait) = (Duration::from_millis(10), Duration::from_millis(500));
        let pace = Pace { shortest_wait, longest_wait, short: 3, long: 30, piece: 7 };
        assert_eq!(settings.pace(), Some(pace));
    }

    #[test]
    fn streams_of_named_models_are_made_of_whole_answers() {
        let settings =
            settings(&[("FAKE_STREAM_ENABLED", "1"), ("FAKE_STREAM_MODELS", "gemini-2.5-pro*")]);
        assert!(settings.fakes_stream("gemini-2.5-pro-preview"));
        assert!(!settings.fakes_stream("gemini-2.5-flash"));
    }
}
