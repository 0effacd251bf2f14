//! A host without a network: upstream answers by script, time is virtual, chance has a seed.
//!
//! Invariant: it lives on one thread on purpose (`Rc`, `RefCell`), so a core that asks for `Send`
//! does not compile against it; and everything that was sent upstream is on record, with how its
//! answer ended.

use std::{
    cell::{Cell, RefCell},
    fmt,
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
    time::Duration,
};

use balance_core::{
    host::{BoxError, Clock, Fetch, FetchError, Payload, Random, VisitError},
    key::KeyId,
    reach::Reach,
    time::Timestamp,
};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri, request};
use http_body_util::BodyExt;

use crate::{
    answer::{Answer, Head},
    scripted_body::{Ending, Record, ScriptedBody},
    sent::Sent,
    virtual_time::{MORNING, Sleep, VirtualTime},
};

/// A host by script. Clones share everything.
#[derive(Clone)]
pub struct FakeHost(Rc<Stage>);

/// Decides what upstream answers to the request with this number, from 0.
type Script = Box<dyn FnMut(usize, &Sent) -> Answer>;

struct Stage {
    time: Rc<VirtualTime>,
    script: RefCell<Script>,
    sent: RefCell<Vec<(Sent, Record)>>,
    idle: Cell<Duration>,
    dice: Cell<u64>,
}

impl FakeHost {
    /// A host whose upstream answers by this function.
    #[must_use]
    pub fn answering(script: impl FnMut(usize, &Sent) -> Answer + 'static) -> Self {
        Self(Rc::new(Stage {
            time: VirtualTime::starting_at(MORNING),
            script: RefCell::new(Box::new(script)),
            sent: RefCell::default(),
            idle: Cell::new(Duration::from_secs(120)),
            dice: Cell::new(1),
        }))
    }

    /// A host whose upstream gives these answers, one after the other, and then no connection.
    #[must_use]
    pub fn scripted(answers: impl IntoIterator<Item = Answer>) -> Self {
        let host = Self::answering(|_, _| Answer::unreachable());
        host.play(answers);
        host
    }

    /// Replaces what is left of the script.
    pub fn play(&self, answers: impl IntoIterator<Item = Answer>) {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        let script = move |_: usize, _: &Sent| answers.pop().unwrap_or_else(Answer::unreachable);
        *self.0.script.borrow_mut() = Box::new(script);
    }

    /// How long an upstream body may be silent before it breaks.
    #[must_use]
    pub fn idle(self, idle: Duration) -> Self {
        self.0.idle.set(idle);
        self
    }

    /// Chooses the chance that it gives.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        self.0.dice.set(seed);
        self
    }

    /// Its clock.
    #[must_use]
    pub fn time(&self) -> &Rc<VirtualTime> {
        &self.0.time
    }

    /// What was sent upstream so far, and how each answer ended.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        let sent = self.0.sent.borrow();
        sent.iter().map(|(sent, record)| Sent { ending: record.get(), ..sent.clone() }).collect()
    }

    /// Forgets what was sent.
    pub fn forget_sent(&self) {
        self.0.sent.borrow_mut().clear();
    }

    fn note(&self, head: request::Parts, record: &Record) -> usize {
        let mut sent = self.0.sent.borrow_mut();
        let entry = Sent {
            at: self.now(),
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: Bytes::new(),
            digest: None,
            frames: 0,
            key: head.extensions.get::<KeyId>().copied(),
            ending: Ending::Open,
        };
        sent.push((entry, Rc::clone(record)));
        sent.len() - 1
    }

    /// Reads the request's body into the record.
    async fn receive(
        &self,
        number: usize,
        mut body: Payload<ScriptedBody>,
    ) -> Result<(), BoxError> {
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            read.extend_from_slice(&data);
            if let Some((sent, _)) = self.0.sent.borrow_mut().get_mut(number) {
                sent.frames += 1;
                sent.body = read.clone().freeze();
            }
        }
        Ok(())
    }

    fn answer_to(&self, number: usize) -> Answer {
        let sent = self.0.sent.borrow().get(number).map(|(sent, _)| sent.clone());
        sent.map_or_else(Answer::unreachable, |sent| (self.0.script.borrow_mut())(number, &sent))
    }
}

impl Fetch for FakeHost {
    type Incoming = ScriptedBody;
    type Body = ScriptedBody;

    async fn fetch(
        &self,
        request: Request<Payload<ScriptedBody>>,
    ) -> Result<Response<ScriptedBody>, FetchError> {
        let (head, body) = request.into_parts();
        let record = Record::new(Cell::new(Ending::Open));
        let number = self.note(head, &record);
        // Dropping this future before there is a head is how a request is cancelled.
        let mut waiting = Waiting { record: &record, is_over: false };
        let received = self.receive(number, body).await;
        received.map_err(|cause| waiting.broken(FetchError::Broken(cause)))?;
        let Answer { delay, head } = self.answer_to(number);
        self.sleep(delay).await;
        match head {
            Head::Lost(lost) => Err(waiting.broken(lost.into())),
            Head::Given(head) => {
                waiting.is_over = true;
                let (parts, pieces) = *head;
                let mut body = ScriptedBody::new(self.time(), pieces);
                if parts.headers.contains_key(http::header::CONTENT_LENGTH) {
                    body = body.sized();
                }
                let body = body.impatient(self.0.idle.get()).recorded(&record);
                Ok(Response::from_parts(parts, body))
            }
        }
    }

    /// Answered by the same script.
    async fn visit(
        &self,
        request: Request<Bytes>,
        reach: Reach,
    ) -> Result<Response<ScriptedBody>, VisitError> {
        if !reach.admits(resolve(request.uri())) {
            return Err(VisitError::OutOfReach);
        }
        let answer = self.fetch(request.map(Payload::Full)).await;
        answer.map_err(|lost| VisitError::Lost(lost.into()))
    }
}

/// The address that a name leads to here: written ones to themselves, `localhost` home, all others
/// to one on the open network.
fn resolve(uri: &Uri) -> IpAddr {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let elsewhere = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));
    let named = || if host == "localhost" { Ipv4Addr::LOCALHOST.into() } else { elsewhere };
    host.parse().unwrap_or_else(|_| named())
}

/// A request without an answer yet.
struct Waiting<'a> {
    record: &'a Record,
    is_over: bool,
}

impl Waiting<'_> {
    fn broken(&mut self, error: FetchError) -> FetchError {
        self.is_over = true;
        self.record.set(Ending::Broken);
        error
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.record.set(Ending::Dropped);
        }
    }
}

impl Clock for FakeHost {
    fn now(&self) -> Timestamp {
        self.0.time.now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        let sleep: Sleep = self.0.time.sleep(duration);
        sleep
    }
}

impl Random for FakeHost {
    /// SplitMix64: every seed gives a good sequence, 0 and 1 included.
    fn next_u64(&self) -> u64 {
        let state = self.0.dice.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.dice.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHost").field("now", &self.now()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::future::{Either, select};
    use serde_json::json;

    use super::*;
    use crate::scripted_body::Piece;

    const SECOND: Duration = Duration::from_secs(1);

    fn post(body: &'static str) -> Request<Payload<ScriptedBody>> {
        let payload = Payload::Full(Bytes::from_static(body.as_bytes()));
        Request::post("http://upstream.test/v1beta/x?y=z").body(payload).unwrap()
    }

    #[test]
    fn it_answers_by_script_and_keeps_what_was_sent() {
        let host = FakeHost::scripted([Answer::json(200, &json!({ "a": 1 })).after(SECOND * 3)]);
        let answer = host.time().block_on(host.fetch(post("{}"))).unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(host.now().since(MORNING), SECOND * 3);
        assert_eq!(host.sent()[0].ending, Ending::Open);
        let body = host.time().block_on(answer.into_body().collect()).unwrap().unwrap();
        assert_eq!(body.to_bytes(), r#"{"a":1}"#);
        let sent = &host.sent()[0];
        assert_eq!((sent.path(), sent.body.as_ref()), ("/v1beta/x?y=z", &b"{}"[..]));
        assert_eq!(sent.ending, Ending::Complete);
        let second = host.time().block_on(host.fetch(post("{}"))).unwrap();
        assert!(matches!(second, Err(FetchError::Connect(_))), "the script is over");
    }

    #[test]
    fn a_request_given_up_before_its_answer_is_dropped() {
        let host = FakeHost::scripted([Answer::json(200, &json!({})).after(SECOND * 60)]);
        let race = async {
            matches!(
                select(pin!(host.fetch(post(""))), pin!(host.sleep(SECOND))).await,
                Either::Right(_)
            )
        };
        assert!(host.time().block_on(race).unwrap());
        assert_eq!(host.sent()[0].ending, Ending::Dropped);
    }

    #[test]
    fn a_streamed_request_arrives_frame_by_frame_and_may_break() {
        let host = FakeHost::scripted([Answer::json(200, &json!({}))]);
        let data = |text: &'static str| Piece::Data(Bytes::from_static(text.as_bytes()));
        let body = ScriptedBody::new(host.time(), [data("ab"), data("cd"), Piece::Break]);
        let request = Request::put("http://u.test/x").body(Payload::Stream(body)).unwrap();
        let answer = host.time().block_on(host.fetch(request)).unwrap();
        assert!(matches!(answer, Err(FetchError::Broken(_))));
        let sent = &host.sent()[0];
        assert_eq!((sent.body.as_ref(), sent.frames), (&b"abcd"[..], 2));
        assert_eq!(sent.ending, Ending::Broken);
    }

    #[test]
    fn chance_follows_from_the_seed() {
        let draw = |seed| {
            let host = FakeHost::scripted([]).seeded(seed);
            [host.next_u64(), host.next_u64()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(draw(0)[0], draw(0)[1]);
    }
}
