//! Generating, counting and embedding, and what is refused.

use balance_mock::{Mock, Rule, Setup, Shape};
use serde_json::{Value, json};

use crate::raw::Ask;

const MODEL: &str = "/v1beta/models/gemini-2.5-flash";

async fn mock() -> Mock {
    Mock::start(Setup::default()).await.unwrap()
}

fn text(answer: &Value) -> &str {
    answer["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn the_answer_repeats_model_and_prompt_and_counts_as_count_tokens_does() {
    let mock = mock().await;
    let answer = Ask::generate("where is Rome?").to(&mock).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json; charset=UTF-8");
    let answer = answer.json();
    assert_eq!(text(&answer), "Echo from gemini-2.5-flash: where is Rome?");
    assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
    assert_eq!(answer["modelVersion"], "gemini-2.5-flash");
    let body = json!({ "contents": [{ "parts": [{ "text": "where is Rome?" }] }] });
    let count = Ask::post(&format!("{MODEL}:countTokens"), &body).good_key().to(&mock).await.json();
    let usage = &answer["usageMetadata"];
    assert_eq!(count["totalTokens"], usage["promptTokenCount"]);
    let sum = usage["promptTokenCount"].as_u64().unwrap()
        + usage["candidatesTokenCount"].as_u64().unwrap();
    assert_eq!(usage["totalTokenCount"], sum);
}

#[tokio::test]
async fn a_stream_tells_the_same_in_events_and_counts_in_each_of_them() {
    let mock = mock().await;
    let whole = Ask::generate("hello").to(&mock).await.json();
    let stream = Ask::stream("hello").to(&mock).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert!(stream.text().ends_with("}\r\n\r\n"));
    let events = stream.events();
    assert_eq!(events.len(), 3);
    assert_eq!(stream.chunks.len(), 3, "an event is a chunk");
    assert_eq!(events.iter().map(text).collect::<String>(), text(&whole));
    let tokens: Vec<_> = events
        .iter()
        .map(|event| event["usageMetadata"]["candidatesTokenCount"].as_u64().unwrap())
        .collect();
    assert!(tokens.is_sorted(), "{tokens:?}");
    assert_eq!(events[2]["usageMetadata"], whole["usageMetadata"]);
    let reasons: Vec<_> =
        events.iter().map(|event| event["candidates"][0]["finishReason"].clone()).collect();
    assert_eq!(reasons, [Value::Null, Value::Null, "STOP".into()]);
    let array = Ask::array("hello").to(&mock).await;
    assert_eq!(array.headers["content-type"], "application/json; charset=UTF-8");
    assert!(array.text().starts_with("[{\n") && array.text().contains("}\n,\r\n{"));
    let texts: String = array.json().as_array().unwrap().iter().map(text).collect();
    assert_eq!(texts, text(&whole));
}

#[tokio::test]
async fn structured_output_fits_its_schema() {
    let mock = mock().await;
    let schema = json!({
        "type": "OBJECT",
        "properties": {
            "name": { "type": "STRING" },
            "age": { "type": "INTEGER", "minimum": 18 },
            "tags": { "type": "ARRAY", "items": { "type": "STRING", "enum": ["a", "b"] } },
        },
        "required": ["name", "age"],
    });
    let config = json!({ "responseMimeType": "application/json", "responseSchema": schema });
    let body =
        json!({ "contents": [{ "parts": [{ "text": "Ann" }] }], "generationConfig": config });
    let answer = Ask::post(&format!("{MODEL}:generateContent"), &body).good_key().to(&mock).await;
    let value: Value = serde_json::from_str(text(&answer.json())).unwrap();
    assert_eq!(value, json!({ "name": "Ann", "age": 18, "tags": ["a"] }));
}

#[tokio::test]
async fn mode_any_gets_a_call_with_arguments_that_fit() {
    let mock = mock().await;
    let declaration = json!({
        "name": "person",
        "parametersJsonSchema": {
            "type": "object", "properties": { "age": { "type": ["integer", "null"] } },
        },
    });
    let body = json!({
        "contents": [{ "parts": [{ "text": "hi" }] }],
        "tools": [{ "functionDeclarations": [{ "name": "other" }, declaration] }],
        "toolConfig": {
            "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["person"] },
        },
    });
    let ask = Ask::post(&format!("{MODEL}:generateContent"), &body).good_key();
    let part = &ask.to(&mock).await.json()["candidates"][0]["content"]["parts"][0];
    assert_eq!(part["functionCall"], json!({ "name": "person", "args": { "age": 7 } }));
    assert!(part["thoughtSignature"].is_string(), "a thinking model signs its calls");
}

#[tokio::test]
async fn the_shape_of_answers_can_be_set() {
    let setup =
        Setup { answer: Shape { events: Some(20), ..Shape::default() }, ..Setup::good_keys(1) };
    let mock = Mock::start(setup).await.unwrap();
    assert_eq!(Ask::stream("x").to(&mock).await.events().len(), 20);
    mock.next(Rule::answer(Shape { words: Some(3), events: Some(2), ..Shape::default() }));
    let events = Ask::stream("one two three four").to(&mock).await.events();
    assert_eq!(events.iter().map(text).collect::<String>(), "Echo from gemini-2.5-flash:");
    let rule = json!({ "answer": { "text": "x y", "finish": "MAX_TOKENS" } }).to_string();
    let answer = Ask::generate("x").header("x-mock-rule", &rule).to(&mock).await.json();
    assert_eq!(text(&answer), "x y");
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
    let misread = Ask::generate("x").header("x-mock-rule", "{\"word\":1}").to(&mock).await;
    assert_eq!(misread.status, 400);
    assert!(misread.text().contains("`word`"), "{}", misread.text());
}

#[tokio::test]
async fn a_fixed_answer_is_the_same_for_all() {
    let setup = Setup { fixed: true, ..Setup::good_keys(1) };
    let mock = Mock::start(setup).await.unwrap();
    let first = Ask::generate("one").to(&mock).await;
    let second = Ask::generate("two").to(&mock).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body, second.body);
    assert_eq!(text(&first.json()), "Echo from gemini-2.5-flash: ");
    assert_eq!(Ask::stream("one").to(&mock).await.events().len(), 3);
}

#[tokio::test]
async fn the_length_of_an_answer_obeys_max_output_tokens() {
    let mock = mock().await;
    let config = json!({ "maxOutputTokens": 2 });
    let body = json!({ "contents": [{ "parts": [{ "text": "hi" }] }], "generationConfig": config });
    let ask = Ask::post(&format!("{MODEL}:generateContent"), &body).good_key();
    let answer = ask.to(&mock).await.json();
    assert_eq!(text(&answer), "Echo fro");
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(answer["usageMetadata"]["candidatesTokenCount"], 2);
}

#[tokio::test]
async fn embeddings_have_length_one_and_depend_on_the_text() {
    let mock = mock().await;
    let path = "/v1beta/models/gemini-embedding-001";
    let one = |text| {
        json!({
            "model": "models/gemini-embedding-001",
            "content": { "parts": [{ "text": text }] },
            "outputDimensionality": 8,
        })
    };
    let single = Ask::post(&format!("{path}:embedContent"), &one("a")).good_key();
    let single = single.to(&mock).await.json()["embedding"]["values"].clone();
    let body = json!({ "requests": [one("a"), one("b")] });
    let batch = Ask::post(&format!("{path}:batchEmbedContents"), &body).good_key();
    let batch = batch.to(&mock).await.json()["embeddings"].clone();
    assert_eq!(batch[0]["values"], single);
    assert_ne!(batch[1]["values"], single);
    let values: Vec<_> =
        single.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(values.len(), 8);
    assert!((values.iter().map(|value| value * value).sum::<f64>() - 1.0).abs() < 1e-6);
    let foreign = json!({ "requests": [{ "model": "models/other", "content": {} }] });
    let refused = Ask::post(&format!("{path}:batchEmbedContents"), &foreign).good_key();
    assert_eq!(refused.to(&mock).await.status, 400);
}

#[tokio::test]
async fn exactly_one_credential_is_accepted() {
    let mock = mock().await;
    let body = json!({ "contents": [{ "parts": [{ "text": "hi" }] }] });
    let (good, other) = (Setup::secret("good", 1), Setup::secret("good", 2));
    let path = format!("{MODEL}:generateContent");
    let ask = || Ask::post(&path, &body);
    let by_query = Ask::post(&format!("{path}?alt=json&key={good}"), &body);
    for (ask, status, words) in [
        (ask().header("x-goog-api-key", &good), 200, ""),
        (by_query.clone(), 200, ""),
        (ask(), 403, "unregistered callers"),
        (ask().header("x-goog-api-key", "AIzaNobody"), 400, "API key not valid"),
        (ask().header("authorization", &format!("Bearer {good}")), 401, "OAuth 2 access token"),
        (by_query.clone().header("x-goog-api-key", &good), 400, "Multiple authentication"),
        (by_query.header("authorization", "Bearer x"), 400, "Multiple authentication"),
        (
            ask().header("x-goog-api-key", &good).header("x-goog-api-key", &other),
            400,
            "Multiple authentication",
        ),
        (ask().key("dead", 1), 403, "reported as leaked"),
    ] {
        let answer = ask.to(&mock).await;
        assert_eq!(answer.status, status, "{words}");
        if status != 200 {
            assert!(answer.message().contains(words), "{}", answer.message());
        }
    }
}

#[tokio::test]
async fn bodies_that_google_refuses_are_refused() {
    let mock = mock().await;
    let contents = json!([{ "parts": [{ "text": "hi" }] }]);
    let candidates = json!({ "candidateCount": 2 });
    let calling = json!({ "functionCallingConfig": { "mode": "ANY" } });
    for (body, words) in [
        ("{", "Invalid JSON payload"),
        ("[]", "Invalid JSON payload"),
        ("", "contents is not specified"),
        ("{\"contents\":[]}", "contents is not specified"),
        ("{\"contents\":[{\"role\":\"assistant\",\"parts\":[]}]}", "valid role"),
        (
            &json!({ "contents": contents, "generationConfig": candidates }).to_string(),
            "Multiple candidates is not enabled",
        ),
        (
            &json!({ "contents": contents, "toolConfig": calling }).to_string(),
            "Function calling config is set without function_declarations",
        ),
    ] {
        let ask = Ask::bytes(&format!("{MODEL}:generateContent"), body.as_bytes()).good_key();
        let answer = ask.to(&mock).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.message().contains(words), "{body}: {}", answer.message());
    }
    let odd = json!({
        "contents": { "parts": { "text": "hi" } }, "system_instruction": null, "unheard": 1,
    });
    let ask = Ask::post(&format!("{MODEL}:generateContent"), &odd).good_key();
    assert_eq!(ask.to(&mock).await.status, 200, "unknown names and odd shapes are not judged");
}

#[tokio::test]
async fn errors_of_streams_have_the_form_of_the_stream() {
    let mock = mock().await;
    let body = json!({ "contents": [] });
    let path = format!("{MODEL}:streamGenerateContent");
    let sse = Ask::post(&format!("{path}?alt=sse"), &body).good_key().to(&mock).await;
    assert_eq!(sse.status, 400);
    assert_eq!(sse.headers["content-type"], "text/event-stream");
    assert_eq!(sse.json()["error"]["code"], 400, "plain JSON, no data:");
    let array = Ask::post(&path, &body).good_key().to(&mock).await;
    assert_eq!(array.json()[0]["error"]["code"], 400);
}

#[tokio::test]
async fn what_google_does_not_know_is_not_found() {
    let mock = mock().await;
    let body = json!({ "contents": [{ "parts": [{ "text": "hi" }] }] });
    for (path, method) in [
        ("/v1beta/models/gemini-9:generateContent", "generateContent"),
        ("/v1beta/models/gemini-9:streamGenerateContent", "generateContent"),
        ("/v1beta/models/gemini-2.5-flash:embedContent", "embedContent"),
        ("/v1beta/models/gemini-9:batchEmbedContents", "embedContent"),
        ("/v1beta/models/gemini-embedding-001:generateContent", "generateContent"),
    ] {
        let answer = Ask::post(path, &body).good_key().to(&mock).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains(&format!("is not supported for {method}. Call")), "{path}");
    }
    let page = Ask::get("/v1beta/no%3Csuch%3Ething").good_key().to(&mock).await;
    assert_eq!(page.status, 404);
    assert_eq!(page.headers["content-type"], "text/html; charset=UTF-8");
    assert!(page.text().contains("<code>/v1beta/no&lt;such&gt;thing</code> was not found"));
}

#[tokio::test]
async fn pictures_and_sounds_are_made_by_the_models_that_make_them() {
    let mock = mock().await;
    let made = |model: &'static str, config: Value| {
        let body = json!({ "contents": [{ "parts": [{ "text": "a sun" }] }],
                           "generationConfig": config });
        Ask::post(&format!("/v1beta/models/{model}:generateContent"), &body).good_key()
    };
    let drawn = made("gemini-2.5-flash-image", json!({ "responseModalities": ["TEXT", "IMAGE"] }));
    let drawn = drawn.to(&mock).await.json();
    let blob = &drawn["candidates"][0]["content"]["parts"][0]["inlineData"];
    assert_eq!(blob["mimeType"], "image/png");
    assert!(blob["data"].as_str().unwrap().starts_with("iVBORw0KGgo"), "{blob}");
    let spoken = made("gemini-2.5-flash-preview-tts", json!({ "responseModalities": ["AUDIO"] }));
    let spoken = spoken.to(&mock).await.json();
    let blob = &spoken["candidates"][0]["content"]["parts"][0]["inlineData"];
    assert_eq!(blob["mimeType"], "audio/L16;codec=pcm;rate=24000");
    // Half a second: 24,000 bytes, four letters for three of them.
    assert_eq!(blob["data"].as_str().unwrap().len(), 32_000);
    let body = json!({ "instances": [{ "prompt": "a sun" }], "parameters": { "sampleCount": 2 } });
    let imagen = Ask::post("/v1beta/models/imagen-4.0-generate-001:predict", &body).good_key();
    let predictions = imagen.to(&mock).await.json();
    let pictures = predictions["predictions"].as_array().unwrap();
    assert_eq!(pictures.len(), 2);
    assert!(pictures.iter().all(|picture| picture["mimeType"] == "image/png"));
}
