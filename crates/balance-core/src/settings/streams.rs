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
