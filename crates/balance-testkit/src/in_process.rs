//! Plays scenarios in process: the gateway on the fake host, on virtual time, without a runtime.
//!
//! Invariant: a scenario that passes asked upstream exactly as often as it says.

use std::{collections::BTreeMap, pin::pin, rc::Rc};

use balance_core::{body::Body, gateway::Gateway, host::Clock, settings::Settings};
use bytes::Bytes;
use futures_util::future::{Either, join, select};
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt;

use crate::{
    fake_host::FakeHost,
    scenario::{Asked, Leaves, Names, Received, Scenario, Step},
    scripted_body::{Piece, ScriptedBody, cut},
};

/// The address of the server in process.
const DOOR: &str = "door.test";

/// A gateway on a fake host.
#[derive(Debug)]
pub struct Stage {
    /// The gateway.
    pub gateway: Gateway<FakeHost>,
    /// Its host.
    pub host: FakeHost,
}

/// Plays a scenario.
///
/// # Errors
/// The step, and what is not as expected.
pub fn play(scenario: &Scenario) -> Result<(), String> {
    let names = Names { door: format!("http://{DOOR}"), upstream: "http://upstream.test".into() };
    let stage = Stage::open(&scenario.settings(&names))?;
    let mut reply = Received::default();
    for (number, step) in scenario.steps().iter().enumerate() {
        reply = stage
            .play(step, &names, &reply)
            .map_err(|why| format!("step {}: {why}", number + 1))?;
    }
    Ok(())
}

/// Reads settings from a map.
///
/// # Errors
/// The settings that cannot be used.
pub fn settings(values: &BTreeMap<String, String>) -> Result<Settings, String> {
    Settings::read(&|name: &str| values.get(name).cloned())
        .map_err(|wrong| wrong.iter().map(|one| format!("{one}\n")).collect())
}

impl Stage {
    /// A gateway with these settings, and an upstream without a script.
    ///
    /// # Errors
    /// The settings that cannot be used.
    pub fn open(values: &BTreeMap<String, String>) -> Result<Self, String> {
        Self::on(FakeHost::scripted([]), values)
    }

    /// A gateway with these settings on this host.
    ///
    /// # Errors
    /// The settings that cannot be used.
    pub fn on(host: FakeHost, values: &BTreeMap<String, String>) -> Result<Self, String> {
        let settings = settings(values)?;
        let host = host.idle(settings.idle.0);
        Ok(Self { gateway: Gateway::new(host.clone(), settings), host })
    }

    fn play(&self, step: &Step, names: &Names, before: &Received) -> Result<Received, String> {
        self.host.time().advance(step.wait.0);
        self.host.forget_sent();
        self.host.play(step.upstream.iter().map(|answer| answer.answer(names)));
        let request = step.request.request(names, before)?;
        let reply = self.ask(request, &step.request)?;
        step.check(&reply, &self.host.sent(), names)?;
        Ok(reply)
    }

    /// Asks the gateway, and reads the answer as a caller of this kind does.
    ///
    /// # Errors
    /// When the answer never ends.
    pub fn ask(&self, request: Request<Bytes>, caller: &Asked) -> Result<Received, String> {
        let request = self.incoming(request, caller);
        let start = self.host.now();
        let time = Rc::clone(self.host.time());
        let reply = time.block_on(async {
            let having = match caller.leaves {
                Some(Leaves::Having(bytes)) => bytes,
                Some(Leaves::After(_)) | None => usize::MAX,
            };
            let asking = pin!(self.receive(request, having));
            match caller.leaves {
                Some(Leaves::After(span)) => match select(asking, self.host.sleep(span.0)).await {
                    Either::Left((reply, _)) => reply,
                    Either::Right(_) => Received::default(),
                },
                Some(Leaves::Having(_)) | None => asking.await,
            }
        });
        let reply = reply.map_err(|stuck| stuck.to_string())?;
        Ok(Received { took: self.host.now().since(start), ..reply })
    }

    /// The request as a door hands it in.
    fn incoming(&self, request: Request<Bytes>, caller: &Asked) -> Request<ScriptedBody> {
        let (mut head, bytes) = request.into_parts();
        head.headers.entry(header::HOST).or_insert(HeaderValue::from_static(DOOR));
        let sent = bytes.slice(..caller.r#break.unwrap_or(bytes.len()).min(bytes.len()));
        let mut pieces = match caller.cut {
            Some(size) => cut(&sent, size),
            None => vec![Piece::Data(sent)],
        };
        if caller.r#break.is_some() {
            pieces.push(Piece::Break);
        }
        let mut body = ScriptedBody::new(self.host.time(), pieces);
        if caller.cut.is_none() && caller.r#break.is_none() {
            body = body.sized();
        }
        Request::from_parts(head, body)
    }

    /// The gateway's answer, up to so many bytes of its body; its job runs beside.
    async fn receive(&self, request: Request<ScriptedBody>, most: usize) -> Received {
        let reply = self.gateway.handle(request).await;
        let (head, body) = reply.response.into_parts();
        let job = async {
            if let Some(job) = reply.job {
                self.gateway.run(job).await;
            }
        };
        let ((body, broke), ()) = join(read(body, most), job).await;
        let status = head.status.as_u16();
        Received { status, headers: head.headers, body, broke, ..Received::default() }
    }
}

/// Reads a body up to so many bytes, and drops it.
async fn read(mut body: Body<ScriptedBody>, most: usize) -> (Vec<u8>, Option<String>) {
    let mut read = Vec::new();
    while read.len() < most {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data))
            }
            Some(Err(error)) => return (read, Some(error.to_string())),
        }
    }
    (read, None)
}
