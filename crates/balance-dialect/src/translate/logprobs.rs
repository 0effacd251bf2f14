//! The likelihoods that Gemini tells, as OpenAI's clients read them.
//!
//! Invariant: each token that Gemini tells of is told, in its order.

use crate::gemini::generate::answer::{self, Candidate, LogprobsResult};
use crate::openai::logprobs::{Logprob, Logprobs, TokenLogprob};

/// Those of an answer, or of an event of one; none when they were not asked for.
pub(crate) fn of<'a>(candidate: &'a Candidate<'a>) -> Option<Logprobs<'a>> {
    let LogprobsResult { chosen_candidates, top_candidates } =
        candidate.logprobs_result.as_ref()?;
    if chosen_candidates.is_empty() {
        return None;
    }
    let content = chosen_candidates.iter().enumerate().map(|(place, chosen)| {
        let likeliest = top_candidates.get(place).map(|top| top.candidates.as_slice());
        let top_logprobs = likeliest.unwrap_or_default().iter().map(logprob).collect();
        TokenLogprob { token: logprob(chosen), top_logprobs }
    });
    Some(Logprobs { content: content.collect(), refusal: None })
}

fn logprob<'a>(told: &'a answer::TokenLogprob<'a>) -> Logprob<'a> {
    let (token, logprob) = (&*told.token, told.log_probability);
    Logprob { token, logprob, bytes: token.as_bytes() }
}
