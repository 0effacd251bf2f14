//! A desk on a platform that starts programs whatever their settings are.
//!
//! Invariant: settings that cannot be used are told in the log once, and to every caller; no value
//! is repeated, since it may be a secret.

use std::{
    env,
    io::{self, Write},
};

use balance_core::{error::Error, host::BoxError, place::Place, reply::Reply};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::{
    desk::{Desk, Outgoing},
    host::TokioHost,
    journal,
};

/// Answers requests as a guest of a platform, by the settings in the environment.
#[derive(Debug)]
pub struct Guest<I = Incoming>(Result<Desk<I>, Error>);

impl<I> Guest<I>
where
    I: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    /// Reads the settings and starts the log.
    #[must_use]
    pub fn of(place: &Place) -> Self {
        let desk = Self::desk(place);
        if let Err(wrong) = &desk {
            // There may be no log yet: this is what one would be wanted for.
            let _written = writeln!(io::stderr(), "{wrong}");
        }
        Self(desk)
    }

    fn desk(place: &Place) -> Result<Desk<I>, Error> {
        let wrong =
            |line: String| Error::WrongSettings { lines: vec![line], place: place.settings };
        let settings = place.read(&|name: &str| env::var(name).ok())?;
        journal::start(&settings).map_err(|error| wrong(format!("{error}.")))?;
        let host =
            TokioHost::new(&settings).map_err(|error| wrong(format!("PROXIES: {error}.")))?;
        Ok(Desk::new(host, settings))
    }

    /// Answers a request, and gives what is to be done before the platform may forget about it.
    pub async fn answer(
        &self,
        request: Request<I>,
    ) -> (Response<Outgoing<I>>, Option<impl Future<Output = ()> + use<I>>) {
        match &self.0 {
            Ok(desk) => desk.answer(request).await,
            Err(wrong) => (Reply::refusal(wrong, request.uri(), rand::random()).response, None),
        }
    }
}
