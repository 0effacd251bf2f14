//! Tokens as Gemini counts them, and as OpenAI reports them.
//!
//! Invariant: counts are the last that Gemini stated for each field, never sums over events; the
//! tokens of thoughts are part of the completion, and cached ones part of the prompt.

use crate::gemini::generate::answer::{ModalityTokens, UsageMetadata};
use crate::openai::audio;
use crate::openai::completion::{self, CompletionTokens, PromptTokens, ServiceTier};
use crate::openai::responses::answer::{self, InputTokens, OutputTokens};
use crate::summary;

/// The tokens of an answer so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tokens {
    pub(crate) counted: summary::Usage,
    /// How soon and at what price.
    pub(crate) service_tier: Option<ServiceTier>,
    /// Tokens of sounds in the prompt.
    prompt_audio: u64,
    /// Tokens of sounds in the answer.
    answer_audio: u64,
}

impl Tokens {
    /// Takes what an event states.
    pub(crate) fn update(&mut self, stated: &UsageMetadata<'_>) {
        let counted = &mut self.counted;
        for (count, stated) in [
            (&mut counted.prompt_tokens, stated.prompt_token_count),
            (&mut counted.cached_tokens, stated.cached_content_token_count),
            (&mut counted.candidates_tokens, stated.candidates_token_count),
            (&mut counted.thoughts_tokens, stated.thoughts_token_count),
            (&mut counted.tool_use_tokens, stated.tool_use_prompt_token_count),
            (&mut counted.total_tokens, stated.total_token_count),
            (&mut self.prompt_audio, sounds(&stated.prompt_tokens_details)),
            (&mut self.answer_audio, sounds(&stated.candidates_tokens_details)),
        ] {
            *count = stated.unwrap_or(*count);
        }
        let tier = stated.service_tier.as_ref().map(|tier| tier.0.to_ascii_lowercase());
        self.service_tier = match tier.as_deref() {
            Some("standard") => Some(ServiceTier::Default),
            Some("flex") => Some(ServiceTier::Flex),
            Some("priority") => Some(ServiceTier::Priority),
            _ => self.service_tier,
        };
    }

    /// Adds the tokens of another request.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counted += other.counted;
        self.service_tier = self.service_tier.or(other.service_tier);
        self.prompt_audio = self.prompt_audio.saturating_add(other.prompt_audio);
        self.answer_audio = self.answer_audio.saturating_add(other.answer_audio);
    }

    /// Tokens of the prompt, with what Google's own tools found for it.
    pub(crate) fn prompt(&self) -> u64 {
        self.counted.prompt_tokens.saturating_add(self.counted.tool_use_tokens)
    }

    /// Tokens of the answer, thoughts included. Some models count the thoughts among those of the
    /// answer, which shows in the total.
    pub(crate) fn completion(&self) -> u64 {
        let candidates = self.counted.candidates_tokens;
        let has_thoughts = self.prompt().saturating_add(candidates) == self.counted.total_tokens;
        if has_thoughts {
            candidates
        } else {
            candidates.saturating_add(self.counted.thoughts_tokens)
        }
    }

    /// All tokens: what Gemini sums them to, or else the sum.
    pub(crate) fn total(&self) -> u64 {
        match self.counted.total_tokens {
            0 => self.prompt().saturating_add(self.completion()),
            total => total,
        }
    }

    /// The tokens as a chat reports them.
    pub(crate) fn for_chat(&self) -> completion::Usage {
        completion::Usage {
            prompt_tokens: self.prompt(),
            completion_tokens: self.completion(),
            total_tokens: self.total(),
            prompt_tokens_details: PromptTokens {
                cached_tokens: self.counted.cached_tokens,
                audio_tokens: self.prompt_audio,
            },
            completion_tokens_details: CompletionTokens {
                reasoning_tokens: self.counted.thoughts_tokens,
                audio_tokens: self.answer_audio,
                ..CompletionTokens::default()
            },
        }
    }
}

impl Tokens {
    /// The tokens as the Responses API reports them.
    pub(crate) fn for_responses(&self) -> answer::Usage {
        answer::Usage {
            input_tokens: self.prompt(),
            input_tokens_details: InputTokens {
                cached_tokens: self.counted.cached_tokens,
                cache_write_tokens: 0,
            },
            output_tokens: self.completion(),
            output_tokens_details: OutputTokens { reasoning_tokens: self.counted.thoughts_tokens },
            total_tokens: self.total(),
        }
    }
}

impl audio::Usage {
    /// The tokens as transcripts report them.
    pub(crate) fn of(tokens: &Tokens) -> Self {
        Self {
            kind: "tokens",
            input_tokens: tokens.prompt(),
            output_tokens: tokens.completion(),
            total_tokens: tokens.total(),
        }
    }
}

/// The tokens of sounds, when there are any.
fn sounds(details: &[ModalityTokens<'_>]) -> Option<u64> {
    let sounds = details.iter().find(|tokens| &*tokens.modality.0 == "AUDIO")?;
    Some(sounds.token_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(events: &[&str]) -> Tokens {
        let mut tokens = Tokens::default();
        for event in events {
            tokens.update(&serde_json::from_str(event).unwrap());
        }
        tokens
    }

    #[test]
    fn thoughts_are_part_of_the_completion() {
        let usage = tokens(&[r#"{"promptTokenCount":35,"candidatesTokenCount":12,
            "thoughtsTokenCount":62,"totalTokenCount":109,"cachedContentTokenCount":5,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":30},{"modality":"AUDIO","tokenCount":5}]}"#])
        .for_chat();
        assert_eq!(
            (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
            (35, 74, 109)
        );
        assert_eq!(usage.completion_tokens_details.reasoning_tokens, 62);
        assert_eq!(usage.prompt_tokens_details.cached_tokens, 5);
        assert_eq!(usage.prompt_tokens_details.audio_tokens, 5);
    }

    #[test]
    fn thoughts_that_are_counted_already_are_not_counted_twice() {
        let usage = tokens(&[r#"{"promptTokenCount":10,"candidatesTokenCount":30,
            "thoughtsTokenCount":20,"totalTokenCount":40}"#]);
        assert_eq!(usage.completion(), 30);
    }

    #[test]
    fn what_tools_found_is_part_of_the_prompt() {
        let usage = tokens(&[r#"{"promptTokenCount":10,"toolUsePromptTokenCount":7,
            "candidatesTokenCount":3,"totalTokenCount":20}"#]);
        assert_eq!((usage.prompt(), usage.completion(), usage.total()), (17, 3, 20));
    }

    #[test]
    fn counts_of_a_stream_are_never_added() {
        let usage = tokens(&[
            r#"{"promptTokenCount":8,"candidatesTokenCount":1,"thoughtsTokenCount":4}"#,
            r#"{"promptTokenCount":8,"candidatesTokenCount":5}"#,
        ]);
        assert_eq!((usage.prompt(), usage.completion(), usage.total()), (8, 9, 17));
    }

    #[test]
    fn nothing_stated_is_zero() {
        assert_eq!(tokens(&["{}"]).for_chat(), completion::Usage::default());
    }
}
