//! A conversation, put into the turns that Gemini accepts.
//!
//! Invariant: each turn of the model that has calls is followed by one turn with a result for each
//! of them, in the order of the calls, and the conversation never begins with a call.

use std::collections::{BTreeMap, VecDeque};

use super::model::Family;
use super::names::Names;
use super::packed;
use crate::gemini::generate::request::{
    Content, Data, FunctionCall, FunctionResponse, Object, Part, Role,
};
use crate::json::Text;

#[cfg(test)]
mod tests;

/// Google's documented stand-in for a signature that was lost on the way.
pub(crate) const LOST_SIGNATURE: &str = "skip_thought_signature_validator";

/// The conversation so far. Tell it everything in the order of the messages, then
/// [`finish`](Self::finish).
#[derive(Debug, Default)]
pub(crate) struct Dialogue<'a> {
    system: Vec<Part<'a>>,
    turns: Vec<Turn<'a>>,
    /// Where the calls without a result stand, by the name that results give them.
    open: BTreeMap<&'a str, VecDeque<Place>>,
}

/// What Gemini is sent of a conversation.
#[derive(Debug)]
pub(crate) struct Turns<'a> {
    pub(crate) system: Option<Content<'a>>,
    pub(crate) contents: Vec<Content<'a>>,
}

/// A call that the model made.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What results call it, perhaps with a signature packed in; calls of the older API have only
    /// the function's name.
    pub(crate) id: Option<&'a str>,
    pub(crate) function: &'a str,
    pub(crate) args: Object<'a>,
    pub(crate) signature: Option<Text<'a>>,
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) response: Object<'a>,
    /// Pictures and other media.
    pub(crate) media: Vec<Part<'a>>,
}

/// No earlier call of that name lacks a result.
#[derive(Debug)]
pub(crate) struct NoSuchCall;

#[derive(Debug)]
enum Turn<'a> {
    User(Vec<Part<'a>>),
    Model { said: Vec<Said<'a>>, is_answered: bool },
}

/// One thing that the model said.
#[derive(Debug)]
enum Said<'a> {
    Part(Part<'a>),
    Call(Call<'a>, Option<Outcome<'a>>),
}

/// The turn, and the place in what was said in it.
#[derive(Debug, Clone, Copy)]
struct Place(usize, usize);

impl<'a> Dialogue<'a> {
    /// The operator's word, at any point of the conversation.
    pub(crate) fn system(&mut self, parts: Vec<Part<'a>>) {
        self.system.extend(parts);
    }

    /// The user's word. One of nothing is none.
    pub(crate) fn user(&mut self, mut parts: Vec<Part<'a>>) {
        match self.turns.last_mut() {
            _ if parts.is_empty() => {}
            Some(Turn::User(turn)) => turn.append(&mut parts),
            _ => self.turns.push(Turn::User(parts)),
        }
    }

    /// The model's word.
    pub(crate) fn say(&mut self, part: Part<'a>) {
        self.add(Said::Part(part));
    }

    /// A call of the model.
    pub(crate) fn call(&mut self, call: Call<'a>) {
        let name = call.id.unwrap_or(call.function);
        let place = self.add(Said::Call(call, None));
        let open = self.open.entry(name).or_default();
        // A call of a later turn hides those of earlier ones that bear the same name.
        if open.back().is_some_and(|last| last.0 != place.0) {
            open.clear();
        }
        open.push_back(place);
    }

    /// The result of a call, by the call's id or else by the function's name.
    ///
    /// # Errors
    /// [`NoSuchCall`] when no call before waits for it.
    pub(crate) fn result(
        &mut self,
        id: Option<&str>,
        function: Option<&str>,
        outcome: Outcome<'a>,
    ) -> Result<(), NoSuchCall> {
        let place = id.and_then(|id| self.open.get_mut(id)?.pop_front());
        let place = place.or_else(|| self.open_call_of(function?)).ok_or(NoSuchCall)?;
        let Some(Turn::Model { said, is_answered }) = self.turns.get_mut(place.0) else {
            return Err(NoSuchCall);
        };
        let Some(Said::Call(_, result)) = said.get_mut(place.1) else { return Err(NoSuchCall) };
        *result = Some(outcome);
        *is_answered = true;
        Ok(())
    }

    /// Everything in the form that models of this family take; no contents when nothing was said.
    pub(crate) fn finish(mut self, family: &Family, names: &Names) -> Turns<'a> {
        self.drop_hanging_calls();
        // Google checks the signatures of the calls since the user last spoke.
        let current = self.turns.iter().rposition(|turn| matches!(turn, Turn::User(_)));
        let mut contents = Vec::with_capacity(self.turns.len());
        for (index, turn) in self.turns.into_iter().enumerate() {
            match turn {
                Turn::User(parts) => contents.push(user(parts)),
                Turn::Model { said, .. } => {
                    let is_checked = family.signed_calls && Some(index) > current;
                    Step::new(said, is_checked, family, names).push_to(&mut contents);
                }
            }
        }
        if contents.first().is_some_and(has_call) {
            contents.insert(0, user(vec![Data::Text(" ".into()).into()]));
        }
        introduce(self.system, contents, family)
    }

    /// Adds to the model's turn, a new one unless it speaks already.
    fn add(&mut self, new: Said<'a>) -> Place {
        if let Some(Turn::Model { said, is_answered: false }) = self.turns.last_mut() {
            said.push(new);
            let place = said.len() - 1;
            return Place(self.turns.len() - 1, place);
        }
        self.turns.push(Turn::Model { said: vec![new], is_answered: false });
        Place(self.turns.len() - 1, 0)
    }

    /// The first call of a function in the model's last turn that has no result.
    fn open_call_of(&self, function: &str) -> Option<Place> {
        let is_model = |turn: &Turn<'_>| matches!(turn, Turn::Model { .. });
        let index = self.turns.iter().rposition(is_model)?;
        let Turn::Model { said, .. } = self.turns.get(index)? else { return None };
        let is_open = |said: &Said<'_>| match said {
            Said::Call(call, outcome) => outcome.is_none() && call.function == function,
            Said::Part(_) => false,
        };
        said.iter().position(is_open).map(|place| Place(index, place))
    }

    /// Gemini does not go on from calls without any result at the end of the conversation.
    fn drop_hanging_calls(&mut self) {
        if let Some(Turn::Model { said, is_answered: false }) = self.turns.last()
            && said.iter().any(|said| matches!(said, Said::Call(..)))
        {
            self.turns.pop();
        }
    }
}

/// A turn of the model, with the turns that answer its calls.
#[derive(Debug, Default)]
struct Step<'a> {
    said: Vec<Part<'a>>,
    responses: Vec<Part<'a>>,
    /// Media of the results, for models that do not take them within.
    media: Vec<Part<'a>>,
}

impl<'a> Step<'a> {
    fn new(said: Vec<Said<'a>>, is_checked: bool, family: &Family, names: &Names) -> Self {
        let mut step = Self::default();
        for said in said {
            match said {
                Said::Part(part) => step.said.push(part),
                Said::Call(mut call, outcome) => {
                    if is_checked && step.responses.is_empty() {
                        call.signature = call.signature.or_else(|| Some(LOST_SIGNATURE.into()));
                    }
                    step.call(call, outcome, family, names);
                }
            }
        }
        step
    }

    fn call(
        &mut self,
        call: Call<'a>,
        outcome: Option<Outcome<'a>>,
        family: &Family,
        names: &Names,
    ) {
        let id = call.id.map(|id| packed::unpack(id).0);
        let id = id.filter(|id| family.since_3 && !id.is_empty());
        let Outcome { response, media } = outcome.unwrap_or_else(|| Outcome {
            response: Object::Error { error: "no result" },
            media: Vec::new(),
        });
        let (within, beside) = if family.since_3 { (media, vec![]) } else { (vec![], media) };
        self.media.extend(beside);
        let name = names.to_gemini(call.function);
        let response = FunctionResponse { id, name: name.clone(), response, parts: within };
        self.responses.push(Data::FunctionResponse(response).into());
        self.said.push(Part {
            data: Data::FunctionCall(FunctionCall { id, name, args: call.args }),
            thought_signature: call.signature,
            media_resolution: None,
        });
    }

    fn push_to(self, contents: &mut Vec<Content<'a>>) {
        contents.push(Content { role: Some(Role::Model), parts: self.said });
        // Results stand alone in their turn: Gemini mishandles them beside other parts.
        for parts in [self.responses, self.media] {
            if !parts.is_empty() {
                contents.push(user(parts));
            }
        }
    }
}

/// Puts the operator's word before the conversation, the way that the family takes it.
fn introduce<'a>(
    system: Vec<Part<'a>>,
    mut contents: Vec<Content<'a>>,
    family: &Family,
) -> Turns<'a> {
    if system.is_empty() {
        return Turns { system: None, contents };
    }
    if contents.is_empty() {
        return Turns { system: None, contents: vec![user(system)] };
    }
    if family.system_instruction {
        return Turns { system: Some(Content { role: None, parts: system }), contents };
    }
    match contents.first_mut() {
        Some(Content { role: Some(Role::User), parts }) => drop(parts.splice(0..0, system)),
        _ => contents.insert(0, user(system)),
    }
    Turns { system: None, contents }
}

fn user(parts: Vec<Part<'_>>) -> Content<'_> {
    Content { role: Some(Role::User), parts }
}

fn has_call(content: &Content<'_>) -> bool {
    content.parts.iter().any(|part| matches!(part.data, Data::FunctionCall(_)))
}
