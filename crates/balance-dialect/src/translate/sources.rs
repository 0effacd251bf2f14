//! The sources of an answer, as annotations of its text.
//!
//! Invariant: an annotation's indices count characters of the text as the client has it, and its
//! words are those that Gemini named; words that are not found are not annotated.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::gemini::generate::answer::Candidate;
use crate::gemini::generate::grounding::{
    CitationMetadata, GroundingMetadata, Segment, Source, UrlContextMetadata, UrlMetadata,
};
use crate::json::{OneLine, Said};
use crate::openai::completion::{Annotation, AnnotationKind, GoogleContent, UrlCitation};

/// The text of an answer so far, as the client has it.
#[derive(Debug, Default)]
pub(crate) struct Written<'a> {
    pub(crate) text: Said<'a>,
    /// Where in it the parts of Gemini's answer begin; the pieces of a stream count as one.
    pub(crate) parts: Vec<usize>,
}

impl<'a> Written<'a> {
    /// Adds words; the first ones are borrowed.
    pub(crate) fn add(&mut self, words: Said<'a>) {
        if self.text.is_empty() {
            self.text = words;
        } else {
            self.text.push(&words);
        }
    }
}

/// What Gemini tells of an answer's sources, as JSON.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sources<'a> {
    /// `groundingMetadata`.
    found: Option<&'a str>,
    /// `urlContextMetadata`.
    pages: Option<&'a str>,
    /// `citationMetadata`.
    repeated: Option<&'a str>,
}

impl Sources<'_> {
    /// Whether nothing is told.
    pub(crate) fn are_none(&self) -> bool {
        self.found.or(self.pages).or(self.repeated).is_none()
    }
}

/// The sources, at the words that rest on them.
pub(crate) fn annotations<'a>(sources: Sources<'a>, written: &Written<'_>) -> Vec<Annotation<'a>> {
    let mut annotations = Vec::new();
    if sources.are_none() {
        return annotations;
    }
    let Sources { found, pages, repeated } = sources;
    let mut cited = BTreeSet::new();
    let repeated: CitationMetadata<'a> = read(repeated);
    for citation in &repeated.citation_sources {
        let Some(bytes) = written.place(&citation.segment()) else { continue };
        let source = Source { uri: citation.uri.clone(), title: citation.title.clone() };
        annotations.extend(cite(&source, written.characters(bytes)));
    }
    let found: GroundingMetadata<'a> = read(found);
    for support in &found.grounding_supports {
        let Some(bytes) = written.place(&support.segment) else { continue };
        let characters = written.characters(bytes);
        for index in &support.grounding_chunk_indices {
            let source = found.grounding_chunks.get(*index).and_then(|chunk| chunk.source());
            if let Some(annotation) = source.and_then(|source| cite(source, characters.clone())) {
                cited.insert(annotation.url_citation.url.to_string());
                annotations.push(annotation);
            }
        }
    }
    // Sources that no words name stand at the end of the text.
    let end = written.text.chars().count();
    let pages: UrlContextMetadata<'a> = read(pages);
    let pages = pages.url_metadata.into_iter().filter_map(page);
    let sources = found.grounding_chunks.into_iter().filter_map(|chunk| {
        let kinds = [chunk.web, chunk.retrieved_context, chunk.maps, chunk.image];
        kinds.into_iter().flatten().next()
    });
    for source in sources.chain(pages) {
        let is_new = source.uri.as_deref().is_some_and(|url| cited.insert(url.to_owned()));
        annotations.extend(cite(&source, end..end).filter(|_| is_new));
    }
    annotations
}

/// What a candidate tells.
pub(crate) fn of<'a>(candidate: &Candidate<'a>) -> Sources<'a> {
    Sources {
        found: candidate.grounding_metadata.map(RawValue::get),
        pages: candidate.url_context_metadata.map(RawValue::get),
        repeated: candidate.citation_metadata.map(RawValue::get),
    }
}

/// What was kept of a stream.
pub(crate) fn of_kept<'a>(known: &'a GoogleContent<'_>) -> Sources<'a> {
    let json = |told: &'a Option<OneLine>| told.as_ref().map(OneLine::as_str);
    Sources {
        found: json(&known.grounding_metadata),
        pages: json(&known.url_context_metadata),
        repeated: json(&known.citation_metadata),
    }
}

/// The sources as a list of links behind the text, each once; none where there are none.
pub(crate) fn links(annotations: &[Annotation<'_>]) -> Option<String> {
    let mut told = BTreeSet::new();
    let mut links = String::from("\n\n---\n");
    for Annotation { url_citation: UrlCitation { url, title, .. }, .. } in annotations {
        if told.insert(url) {
            let title = if title.is_empty() { url } else { title };
            links.push_str(&format!("\n- [{}]({url})", title.replace(['[', ']', '\n'], " ")));
        }
    }
    (!told.is_empty()).then_some(links)
}

/// Metadata of a shape that is not known says nothing; the answer is worth more than its sources.
fn read<'a, T: Deserialize<'a> + Default>(json: Option<&'a str>) -> T {
    json.and_then(|json| crate::json::read_str(json).ok()).unwrap_or_default()
}

fn page(page: UrlMetadata<'_>) -> Option<Source<'_>> {
    let is_read = &*page.url_retrieval_status.0 == "URL_RETRIEVAL_STATUS_SUCCESS";
    let url = page.retrieved_url.filter(|_| is_read)?;
    Some(Source { title: Some(url.clone()), uri: Some(url) })
}

fn cite<'a>(source: &Source<'a>, characters: Range<usize>) -> Option<Annotation<'a>> {
    let url = source.uri.clone()?.into_inner();
    let title = source.title.clone().unwrap_or_default().into_inner();
    let Range { start: start_index, end: end_index } = characters;
    let url_citation = UrlCitation { start_index, end_index, url, title };
    Some(Annotation { kind: AnnotationKind::UrlCitation, url_citation })
}

impl Written<'_> {
    /// Where words stand in the text, in bytes. Gemini counts them from the beginning of their part
    /// or of the whole text; where neither fits, as after code that it does not count, the words
    /// themselves are looked for.
    fn place(&self, segment: &Segment<'_>) -> Option<Range<usize>> {
        let words = segment.text.as_deref();
        let part = self.parts.get(segment.part_index).copied();
        let places = [part, Some(0)].into_iter().flatten().filter_map(|start| {
            Some(start.checked_add(segment.start_index)?..start.checked_add(segment.end_index)?)
        });
        let is_there = |place: &Range<usize>| {
            self.text.get(place.clone()).is_some_and(|found| words.is_none_or(|w| w == found))
        };
        let found = || {
            let words = words.filter(|words| !words.is_empty())?;
            self.text.find(words).map(|start| start..start + words.len())
        };
        places.into_iter().find(is_there).or_else(found)
    }

    /// The same range in characters.
    fn characters(&self, bytes: Range<usize>) -> Range<usize> {
        let count =
            |range: Range<usize>| self.text.get(range).map_or(0, |text| text.chars().count());
        let start = count(0..bytes.start);
        start..start + count(bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
    fn cited(candidate: Value, text: &str, parts: &[usize]) -> Vec<(usize, usize, String, String)> {
        let candidate = candidate.to_string();
        let candidate: Candidate<'_> = serde_json::from_str(&candidate).unwrap();
        let written = Written { text: text.into(), parts: parts.to_owned() };
        let annotations = annotations(of(&candidate), &written).into_iter();
        let rows = annotations.map(|annotation| {
            let UrlCitation { start_index, end_index, url, title } = annotation.url_citation;
            (start_index, end_index, url.into_owned(), title.into_owned())
        });
        rows.collect()
    }

    #[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
    fn grounded(segment: Value) -> Value {
        json!({ "groundingMetadata": {
            "groundingChunks": [{ "web": { "uri": "https://a", "title": "A" } }],
            "groundingSupports": [{ "segment": segment, "groundingChunkIndices": [0, 7] }] } })
    }

    #[test]
    fn bytes_become_characters() {
        let segment = json!({ "startIndex": 4, "endIndex": 10, "text": "Öl ✓"[..].get(0..4) });
        let at = |segment| cited(grounded(segment), "Ä é Öl ✓.", &[0]);
        assert_eq!(segment["text"], "Öl ");
        // The words are found although the numbers do not fit.
        assert_eq!(at(segment), [(4, 7, "https://a".to_owned(), "A".to_owned())]);
        let segment = json!({ "startIndex": 6, "endIndex": 13, "text": "Öl ✓" });
        assert_eq!(at(segment), [(4, 8, "https://a".to_owned(), "A".to_owned())]);
        let segment = json!({ "endIndex": 2 });
        assert_eq!(at(segment), [(0, 1, "https://a".to_owned(), "A".to_owned())]);
    }

    #[test]
    fn words_of_a_later_part_are_counted_from_its_beginning() {
        let segment =
            json!({ "partIndex": 1, "startIndex": 1, "endIndex": 3, "text": "éd"[..].get(0..2) });
        let rows = cited(grounded(segment), "abcxédz", &[0, 3]);
        assert_eq!(rows, [(4, 5, "https://a".to_owned(), "A".to_owned())]);
    }

    #[test]
    fn sources_that_no_words_name_stand_at_the_end() {
        let end = |url: &str, title: &str| (2, 2, url.to_owned(), title.to_owned());
        assert_eq!(
            cited(grounded(json!({ "endIndex": 9, "text": "not there" })), "aé", &[0]),
            [end("https://a", "A")]
        );
        let pages = json!({ "urlContextMetadata": { "urlMetadata": [
            { "retrievedUrl": "https://p", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS" },
            { "retrievedUrl": "https://p", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS" },
            { "retrievedUrl": "https://q", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_ERROR" }] } });
        assert_eq!(cited(pages, "aé", &[0]), [end("https://p", "https://p")]);
    }

    #[test]
    fn words_that_the_answer_repeats_are_cited() {
        let sources = json!([{ "startIndex": 3, "endIndex": 6, "uri": "https://c", "license": "mit" },
                             { "endIndex": 2, "title": "T", "uri": "https://d" }, { "endIndex": 99, "uri": "e" }]);
        let metadata = json!({ "citationMetadata": { "citationSources": sources } });
        let row = |from, to, url: &str, title: &str| (from, to, url.to_owned(), title.to_owned());
        let expected = [row(2, 5, "https://c", ""), row(0, 1, "https://d", "T")];
        assert_eq!(cited(metadata, "é abc", &[0]), expected);
    }

    #[test]
    fn metadata_of_another_shape_says_nothing() {
        for metadata in
            [json!(null), json!([]), json!("x"), json!({ "groundingChunks": 5 }), json!({})]
        {
            assert_eq!(cited(json!({ "groundingMetadata": metadata }), "a", &[0]), []);
        }
    }
}
