//! What an answer rests on: what Google's own tools found, and where the answer says it.
//!
//! Invariant: every field may be absent.

use serde::Deserialize;

use super::answer::EnumName;
use crate::json::Text;

/// What Google Search, Maps or File Search found.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct GroundingMetadata<'a> {
    /// The sources.
    pub grounding_chunks: Vec<Chunk<'a>>,
    /// Which words rest on which sources.
    pub grounding_supports: Vec<Support<'a>>,
}

/// A source; one of the fields has it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct Chunk<'a> {
    /// A page.
    pub web: Option<Source<'a>>,
    /// A document of the caller.
    pub retrieved_context: Option<Source<'a>>,
    /// A place.
    pub maps: Option<Source<'a>>,
    /// A picture.
    pub image: Option<Source<'a>>,
}

/// Where a source is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct Source<'a> {
    /// The address; for pages one of Google's that leads there.
    #[serde(alias = "sourceUri")]
    pub uri: Option<Text<'a>>,
    /// The title, or the host alone.
    pub title: Option<Text<'a>>,
}

/// Words with the sources that they rest on.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct Support<'a> {
    /// The words.
    pub segment: Segment<'a>,
    /// The places of the sources among the chunks.
    pub grounding_chunk_indices: Vec<usize>,
}

/// Words of the answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct Segment<'a> {
    /// The part that they stand in; 0 in streams, whose parts count as one.
    pub part_index: usize,
    /// Where they begin in it, in bytes of UTF-8.
    pub start_index: usize,
    /// Where they end in it, in bytes of UTF-8.
    pub end_index: usize,
    /// The words themselves.
    pub text: Option<Text<'a>>,
}

/// The pages that were read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct UrlContextMetadata<'a> {
    /// One for each page.
    pub url_metadata: Vec<UrlMetadata<'a>>,
}

/// A page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct UrlMetadata<'a> {
    /// The address.
    pub retrieved_url: Option<Text<'a>>,
    /// `URL_RETRIEVAL_STATUS_SUCCESS` for a page that could be read.
    pub url_retrieval_status: EnumName<'a>,
}

/// Words that the answer repeats from elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct CitationMetadata<'a> {
    /// One for each place.
    #[serde(alias = "citations")]
    pub citation_sources: Vec<Citation<'a>>,
}

/// Words with the place that they come from.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub struct Citation<'a> {
    /// Where the words begin in the answer, in bytes of UTF-8.
    pub start_index: usize,
    /// Where they end in it, in bytes of UTF-8.
    pub end_index: usize,
    /// The address of the place.
    pub uri: Option<Text<'a>>,
    /// Its title.
    pub title: Option<Text<'a>>,
}

impl Citation<'_> {
    /// The words, which are counted from the beginning of the answer.
    #[must_use]
    pub fn segment(&self) -> Segment<'static> {
        let Self { start_index, end_index, .. } = *self;
        Segment { part_index: 0, start_index, end_index, text: None }
    }
}

impl<'a> Chunk<'a> {
    /// Where the source is, whatever it is.
    #[must_use]
    pub fn source(&self) -> Option<&Source<'a>> {
        let kinds = [&self.web, &self.retrieved_context, &self.maps, &self.image];
        kinds.into_iter().find_map(Option::as_ref)
    }
}
