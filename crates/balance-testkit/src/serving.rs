//! A plain HTTP server for fakes of platforms.
//!
//! Invariant: it ends with the task that it runs in; connections end with their callers.

use std::{convert::Infallible, future::Future, net::TcpListener, sync::Arc};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

use crate::answer_stream::Stream;

/// Serves all that `answer` answers.
pub(crate) async fn serve<S, F, A>(listener: TcpListener, state: Arc<S>, answer: A)
where
    S: Send + Sync + 'static,
    A: Fn(Arc<S>, Request<Incoming>) -> F + Copy + Send + 'static,
    F: Future<Output = Response<Stream>> + Send + 'static,
{
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        // A delay is no error.
        let _delayed = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answered = answer(Arc::clone(&state), request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Callers leave as they like.
            let _ended = serving.await;
        });
    }
}
