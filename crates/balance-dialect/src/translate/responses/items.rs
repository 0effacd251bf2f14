//! The items of an answer, and the events that tell of them.
//!
//! Invariant: only the last item may be open, and every event about an item comes between its
//! `output_item.added` and its `output_item.done`.

use super::Mode;
use super::events::Events;
use crate::openai::responses::answer::{
    Annotation, Content, ExtraContent, GoogleContent, Item, Status, Summary,
};
use crate::openai::responses::event::{Event, Part};
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

    /// More words of the answer.
    pub(super) fn text(&mut self, words: &str, out: &mut Vec<u8>) {
        if !self.is_open || !matches!(self.all.last(), Some(Item::Message { .. })) {
            self.open_message(out);
        }
        if let Some(Item::Message { content, .. }) = self.all.last_mut() {
            for Content::OutputText { text, .. } in content {
                text.push_str(words);
            }
        }
        let event = Event {
            kind: "response.output_text.delta",
            content_index: Some(0),
            delta: Some(words),
            logprobs: Some([]),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
    }

    /// The words of the message that is open.
    pub(super) fn open_text(&self) -> Option<&str> {
        let Some(Item::Message { content, .. }) = self.all.last() else { return None };
        let Content::OutputText { text, .. } = content.first().filter(|_| self.is_open)?;
        Some(text)
    }

    /// A source of these words.
    pub(super) fn cite(&mut self, source: &Annotation, out: &mut Vec<u8>) {
        let Some(Item::Message { content, .. }) = self.all.last_mut() else { return };
        let Some(Content::OutputText { annotations, .. }) = content.first_mut() else { return };
        annotations.push(source.clone());
        let annotation_index = annotations.len().checked_sub(1);
        let event = Event {
            kind: "response.output_text.annotation.added",
            content_index: Some(0),
            annotation_index,
            annotation: Some(source),
            ..about_last(&self.all)
        };
        self.events.write(event, out);
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

    fn open_message(&mut self, out: &mut Vec<u8>) {
        let id = self.ids.next("msg_");
        let status = Status::InProgress;
        self.open(Item::Message { id, status, role: "assistant", content: Vec::new() }, out);
        let part =
            Content::OutputText { text: String::new(), annotations: Vec::new(), logprobs: [] };
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

/// The events that end the words of the last item.
fn last_words(items: &[Item]) -> Vec<Event<'_>> {
    let about = || about_last(items);
    match items.last() {
        Some(Item::Message { content, .. }) => content
            .iter()
            .flat_map(|part| {
                let Content::OutputText { text, .. } = part;
                let (content_index, text) = (Some(0), Some(text.as_str()));
                let text = Event {
                    kind: "response.output_text.done",
                    logprobs: Some([]),
                    content_index,
                    text,
                    ..about()
                };
                let part = Some(Part::Content(part));
                let kind = "response.content_part.done";
                [text, Event { kind, content_index, part, ..about() }]
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
