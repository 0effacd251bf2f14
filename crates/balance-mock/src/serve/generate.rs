//! The methods of models: generating, counting, embedding. Invariant: the order is key, model,
//! quota, body; so a body that is refused has been counted, as Google counts it.

use bytes::Bytes;
use serde_json::Value;

use super::call::Call;
use super::check;
use crate::answer::{
    Answer, Prompt, Shape, batch_embeddings, count_tokens_answer, embedding, embedding_tokens,
    of_request, predictions,
};
use crate::google::{ApiError, ErrorName, Method, Metric, Model, ProjectId};
use crate::log::lock;
use crate::reply::{Form, Reply, pretty, render};
use crate::rule::Rule;

/// The answer of `models/{model}:{method}`.
pub(super) fn answer(
    call: &Call<'_>,
    model: &str,
    method: &str,
    rule: Option<&Rule>,
) -> Result<Reply, ApiError> {
    let project = call.project()?;
    let known = Method::find(method)
        .filter(|&method| Model::find(model).is_some_and(|model| model.supports(method)));
    match known {
        None => Err(ErrorName::ModelNotFound.at(&call.place())),
        Some(Method::Generate | Method::StreamGenerate) => generate(call, model, project, rule),
        Some(Method::CountTokens) => count(call),
        Some(Method::Predict) => predict(call, model, project),
        Some(method @ (Method::Embed | Method::BatchEmbed)) => embed(call, model, project, method),
    }
}

fn generate(
    call: &Call<'_>,
    model: &str,
    project: ProjectId,
    rule: Option<&Rule>,
) -> Result<Reply, ApiError> {
    let form = call.form();
    let given = rule.and_then(|rule| rule.answer.as_ref());
    if call.state.is_fixed && given.is_none() {
        let tokens = (call.body.len() as u64).div_ceil(4);
        admit(call, project, Metric::Generate, model, tokens)?;
        return Ok(reply(form, fixed(call, model, form)));
    }
    let body = call.json()?;
    admit(call, project, Metric::Generate, model, of_request(&body))?;
    let prompt = Prompt { model, body: &body };
    check::check(call, &prompt, project)?;
    let shape = match given {
        Some(given) => &given.or(&call.state.shape),
        None => &call.state.shape,
    };
    Ok(reply(form, write(&prompt, shape, form, call.state.response_id())))
}

/// The pieces of an answer.
fn write(prompt: &Prompt<'_>, shape: &Shape, form: Form, id: String) -> Vec<Bytes> {
    let answer = Answer::new(prompt, shape, id);
    match form {
        Form::Whole => vec![pretty(&answer.whole())],
        Form::Sse | Form::Array => render(&answer.events(), form),
    }
}

fn reply(form: Form, pieces: Vec<Bytes>) -> Reply {
    match form {
        Form::Whole => Reply::whole(pieces),
        Form::Sse | Form::Array => Reply::stream(form, pieces),
    }
}

/// The answer that is made once for each model and form.
fn fixed(call: &Call<'_>, model: &str, form: Form) -> Vec<Bytes> {
    let mut known = lock(&call.state.fixed);
    let slot = |forms: &[Option<Vec<Bytes>>; 3]| {
        let [whole, sse, array] = forms;
        match form {
            Form::Whole => whole.clone(),
            Form::Sse => sse.clone(),
            Form::Array => array.clone(),
        }
    };
    if let Some(pieces) = known.get(model).and_then(slot) {
        return pieces;
    }
    let prompt = Prompt { model, body: &Value::Null };
    let id = || call.state.response_id();
    let make = |form| Some(write(&prompt, &call.state.shape, form, id()));
    let forms = [make(Form::Whole), make(Form::Sse), make(Form::Array)];
    let pieces = slot(&forms).unwrap_or_default();
    known.insert(model.to_owned(), forms);
    pieces
}

fn predict(call: &Call<'_>, model: &str, project: ProjectId) -> Result<Reply, ApiError> {
    let body = call.json()?;
    admit(call, project, Metric::Generate, model, of_request(&body))?;
    Ok(Reply::json(&predictions(&body)))
}

fn count(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(&count_tokens_answer(&call.json()?)))
}

fn embed(
    call: &Call<'_>,
    model: &str,
    project: ProjectId,
    method: Method,
) -> Result<Reply, ApiError> {
    let body = call.json()?;
    admit(call, project, Metric::Embed, model, embedding_tokens(&body))?;
    if method == Method::Embed {
        check::embedding(&body)?;
        return Ok(Reply::json(&embedding(&body)));
    }
    check::batch(&body, model)?;
    Ok(Reply::json(&batch_embeddings(&body)))
}

fn admit(
    call: &Call<'_>,
    project: ProjectId,
    metric: Metric,
    model: &str,
    tokens: u64,
) -> Result<(), ApiError> {
    let now = call.state.now();
    lock(&call.state.google).admit(project, metric, model, tokens, now)
}
