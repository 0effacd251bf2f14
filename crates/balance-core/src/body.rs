//! The body of a reply: bytes, lines that a job makes, or an upstream answer on its way through.
//!
//! Invariant: plain data inside, no box, so `Send` and `Sync` follow the host's own body type.
//! An upstream answer that breaks ends with an error event in its caller's dialect, never with a
//! clean end.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use balance_dialect::{
    observe::Observer,
    openai::error::ErrorObject,
    summary::{Ending, Summary},
    translate::Translator,
};
use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use http_body::{Frame, SizeHint};

use crate::host::BoxError;

/// The body of a [`Reply`](crate::gateway::Reply); `B` is the host's own upstream body.
#[derive(Debug)]
pub enum Body<B> {
    /// All of it.
    Full(Bytes),
    /// Lines made by a running [`Job`](crate::job::Job).
    Feed(mpsc::Receiver<Bytes>),
    /// An upstream answer, passed on as it arrives.
    Relay(Box<Relay<B>>),
}
