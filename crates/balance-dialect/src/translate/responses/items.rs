//! The items of an answer, and the events that tell of them.
//!
//! Invariant: only the last item may be open, and every event about an item comes between its
//! `output_item.added` and its `output_item.done`.

use super::Mode;
use super::events::Events;
use crate::openai::responses::answer::{
    Annotation, Content, ExtraContent, GoogleContent, Item, Status, Summary, TokenLogprob,
};
use crate::openai::responses::event::{Event, Part};
use crate::translate::chat::sound;
use crate::translate::ids::Ids;
use crate::translate::piece::CallIds;

/// The items so far.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) all: Vec<Item>,
    is_open: bool,
    ids: Ids,
    calls: CallIds,
    pub(super) events: Events,
}

/// A call of the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) name: &'a str,
    /// The arguments of a function, or the text for a custom tool.
    pub(super) given: &'a str,
    pub(super) is_custom: bool,
    pub(super) signature: Option<&'a str>,
}

impl Items {
    pub(super) fn new(mode: Mode, calls: CallIds, nonce: u64) -> Self {
        let events = Events::new(mode);
        Self { all: Vec::new(), is_open: false, ids: Ids::new(nonce), calls, events }
    }

    /// A name for the answer itself.
    pub(super) fn answer_id(&mut self) -> String {
        self.ids.next("resp_")
    }

    /// More words of the answer, with how likely they were.
    pub(super) fn text(&mut self, words: &str, told: Vec<TokenLogprob>, out: &mut Vec<u8>) {
        if !self.is_message_open() {
            let (text, annotations, logprobs) = Default::default();
            self.open_message(Content::OutputText { text, annotations, logprobs }, out);
        }
        let event = Event {
            kind: "response.output_text.delta",
            content_index: Some(0),
            delta: Some(words),
            logprobs: Some(&told),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
        if let Some(Content::OutputText { text, logprobs, .. }) = last_content(&mut self.all) {
            text.push_str(words);
            logprobs.extend(told);
        }
    }

    /// Whether a message with words is open.
    pub(super) fn is_message_open(&self) -> bool {
        self.is_open && self.all.last().and_then(text_of).is_some()
    }

    /// The words of all messages.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter_map(text_of)
    }

    /// A source of the words, whose places are counted over all messages. Clients are told of it at
    /// once where the message is open, else with the whole answer.
    pub(super) fn cite(&mut self, source: Annotation, out: &mut Vec<u8>) {
        let Annotation::UrlCitation { start_index, end_index, url, title } = source;
        let Some(Place { index, before, length }) = self.place(start_index) else { return };
        let within = |place: usize| place.saturating_sub(before).min(length);
        let (start_index, end_index) = (within(start_index), within(end_index));
        let source = Annotation::UrlCitation { start_index, end_index, url, title };
        let is_told = self.is_open && index + 1 == self.all.len();
        let Some(Item::Message { content, .. }) = self.all.get_mut(index) else { return };
        let Some(Content::OutputText { annotations, .. }) = content.first_mut() else { return };
        annotations.push(source.clone());
        if is_told {
            let event = Event {
                kind: "response.output_text.annotation.added",
                content_index: Some(0),
                annotation_index: annotations.len().checked_sub(1),
                annotation: Some(&source),
                ..about_last(&self.all)
            };
            self.events.write(event, out);
        }
    }

    /// The message that has this character, or else the last one.
    fn place(&self, character: usize) -> Option<Place> {
        let mut before = 0;
        let mut last = None;
        for (index, item) in self.all.iter().enumerate() {
            let Some(text) = text_of(item) else { continue };
            let length = text.chars().count();
            last = Some(Place { index, before, length });
            if character < before + length {
                break;
            }
            before += length;
        }
        last
    }

    /// Why there are no words.
    pub(super) fn refuse(&mut self, why: &str, out: &mut Vec<u8>) {
        self.open_message(Content::Refusal { refusal: String::new() }, out);
        let event = Event {
            kind: "response.refusal.delta",
            content_index: Some(0),
            delta: Some(why),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
        if let Some(Content::Refusal { refusal }) = last_content(&mut self.all) {
            refusal.push_str(why);
        }
    }

    /// More of a sound, in base64.
    pub(super) fn sound(&mut self, base64: &str, out: &mut Vec<u8>) {
        let is_sound = matches!(last_content(&mut self.all), Some(Content::OutputAudio { .. }));
        if !self.is_open || !is_sound {
            let data = String::new();
            self.open_message(Content::OutputAudio { data, transcript: "" }, out);
        }
        let kind = "response.audio.delta";
        self.events.write(Event { kind, delta: Some(base64), ..Event::default() }, out);
        if let Some(Content::OutputAudio { data, .. }) = last_content(&mut self.all) {
            sound::append(data, base64);
        }
    }

    /// More words of the thoughts.
    pub(super) fn thought(&mut self, words: &str, out: &mut Vec<u8>) {
        if !self.is_open || !matches!(self.all.last(), Some(Item::Reasoning { .. })) {
            self.open_reasoning(out);
        }
        if let Some(Item::Reasoning { summary, .. }) = self.all.last_mut() {
            for Summary::SummaryText { text } in summary {
                text.push_str(words);
            }
        }
        let event = Event {
            kind: "response.reasoning_summary_text.delta",
            summary_index: Some(0),
            delta: Some(words),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
    }

    /// A call, complete.
    pub(super) fn call(&mut self, call: Call<'_>, out: &mut Vec<u8>) {
        let item = self.begin_call(call);
        self.open(item, out);
        if let Some(
            Item::FunctionCall { arguments: given, .. } | Item::CustomToolCall { input: given, .. },
        ) = self.all.last_mut()
        {
            call.given.clone_into(given);
        }
        let (delta, done) = if call.is_custom {
            ("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done")
        } else {
            ("response.function_call_arguments.delta", "response.function_call_arguments.done")
        };
        let delta = Event { kind: delta, delta: Some(call.given), ..about_last(&self.all) };
        self.events.write(delta, out);
        let done = Event {
            kind: done,
            name: (!call.is_custom).then_some(call.name),
            arguments: (!call.is_custom).then_some(call.given),
            input: call.is_custom.then_some(call.given),
            ..about_last(&self.all)
        };
        self.events.write(done, out);
        self.close(Status::Completed, out);
    }

    /// The item of a call before it is told what it is given.
    fn begin_call(&mut self, call: Call<'_>) -> Item {
        let id = self.ids.next(if call.is_custom { "ctc_" } else { "fc_" });
        let call_id = self.calls.name(call.id, call.signature);
        let (name, status) = (call.name.to_owned(), Status::InProgress);
        let extra_content = call.signature.map(|signature| ExtraContent {
            google: GoogleContent { thought_signature: signature.to_owned() },
        });
        if call.is_custom {
            Item::CustomToolCall { id, call_id, name, input: String::new(), status, extra_content }
        } else {
            let arguments = String::new();
            Item::FunctionCall { id, call_id, name, arguments, status, extra_content }
        }
    }

    /// A picture, complete.
    pub(super) fn image(&mut self, base64: &str, out: &mut Vec<u8>) {
        let id = self.ids.next("ig_");
        let status = Status::InProgress;
        self.open(Item::ImageGenerationCall { id, status, result: None }, out);
        if let Some(Item::ImageGenerationCall { result, .. }) = self.all.last_mut() {
            *result = Some(base64.to_owned());
        }
        self.close(Status::Completed, out);
    }

    /// Ends the open item, if there is one.
    pub(super) fn close(&mut self, end: Status, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        for event in last_words(&self.all) {
            self.events.write(event, out);
        }
        let Some(item) = self.all.last_mut() else { return };
        match item {
            Item::Reasoning { .. } => {}
            Item::Message { status, .. }
            | Item::FunctionCall { status, .. }
            | Item::CustomToolCall { status, .. }
            | Item::ImageGenerationCall { status, .. } => *status = end,
        }
        self.tell_item("response.output_item.done", out);
    }

    fn open_message(&mut self, part: Content, out: &mut Vec<u8>) {
        let id = self.ids.next("msg_");
        let status = Status::InProgress;
        self.open(Item::Message { id, status, role: "assistant", content: Vec::new() }, out);
        let event = Event {
            kind: "response.content_part.added",
            content_index: Some(0),
            part: Some(Part::Content(&part)),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
        if let Some(Item::Message { content, .. }) = self.all.last_mut() {
            content.push(part);
        }
    }

    fn open_reasoning(&mut self, out: &mut Vec<u8>) {
        let id = self.ids.next("rs_");
        self.open(Item::Reasoning { id, summary: Vec::new() }, out);
        let part = Summary::SummaryText { text: String::new() };
        let event = Event {
            kind: "response.reasoning_summary_part.added",
            summary_index: Some(0),
            part: Some(Part::Summary(&part)),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
        if let Some(Item::Reasoning { summary, .. }) = self.all.last_mut() {
            summary.push(part);
        }
    }

    /// Begins an item, after the end of the one before.
    fn open(&mut self, item: Item, out: &mut Vec<u8>) {
        self.close(Status::Completed, out);
        self.all.push(item);
        self.is_open = true;
        self.tell_item("response.output_item.added", out);
    }

    fn tell_item(&mut self, kind: &'static str, out: &mut Vec<u8>) {
        let event = Event { kind, item: self.all.last(), item_id: None, ..about_last(&self.all) };
        self.events.write(event, out);
    }
}

/// A message, with how many characters stand before it and in it.
struct Place {
    index: usize,
    before: usize,
    length: usize,
}

/// The words of a message; none for other items.
fn text_of(item: &Item) -> Option<&str> {
    let Item::Message { content, .. } = item else { return None };
    let Some(Content::OutputText { text, .. }) = content.first() else { return None };
    Some(text)
}

/// What the last message has in it.
fn last_content(items: &mut [Item]) -> Option<&mut Content> {
    let Some(Item::Message { content, .. }) = items.last_mut() else { return None };
    content.first_mut()
}

/// The event that tells all of a part of a message.
fn all_of<'a>(part: &'a Content, about: Event<'a>) -> Event<'a> {
    match part {
        Content::OutputText { text, logprobs, .. } => Event {
            kind: "response.output_text.done",
            logprobs: Some(logprobs),
            text: Some(text),
            ..about
        },
        Content::Refusal { refusal } => {
            Event { kind: "response.refusal.done", refusal: Some(refusal), ..about }
        }
        Content::OutputAudio { .. } => Event { kind: "response.audio.done", ..Event::default() },
    }
}

/// The events that end the words of the last item.
fn last_words(items: &[Item]) -> Vec<Event<'_>> {
    let about = || about_last(items);
    match items.last() {
        Some(Item::Message { content, .. }) => content
            .iter()
            .flat_map(|part| {
                let about = || Event { content_index: Some(0), ..about() };
                let all = all_of(part, about());
                let part = Some(Part::Content(part));
                [all, Event { kind: "response.content_part.done", part, ..about() }]
            })
            .collect(),
        Some(Item::Reasoning { summary, .. }) => summary
            .iter()
            .flat_map(|part| {
                let Summary::SummaryText { text } = part;
                let (summary_index, text) = (Some(0), Some(text.as_str()));
                let kind = "response.reasoning_summary_text.done";
                let text = Event { kind, summary_index, text, ..about() };
                let part = Some(Part::Summary(part));
                let kind = "response.reasoning_summary_part.done";
                [text, Event { kind, summary_index, part, ..about() }]
            })
            .collect(),
        Some(
            Item::FunctionCall { .. }
            | Item::CustomToolCall { .. }
            | Item::ImageGenerationCall { .. },
        )
        | None => Vec::new(),
    }
}

/// An event about the last item.
fn about_last(items: &[Item]) -> Event<'_> {
    Event {
        item_id: items.last().map(Item::id),
        output_index: items.len().checked_sub(1),
        ..Event::default()
    }
}
