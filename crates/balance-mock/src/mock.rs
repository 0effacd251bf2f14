//! A running fake, in the hands of a test. Invariant: dropping it closes its listener and all its
//! connections.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cases::Case;
use crate::control;
use crate::google::Google;
use crate::log::{Entry, lock};
use crate::rule::Rule;
use crate::server::listen;
use crate::setup::Setup;
use crate::state::State;

/// A fake that is listening.
pub struct Mock {
    state: Arc<State>,
    address: SocketAddr,
    listener: JoinHandle<()>,
}

impl Mock {
    /// Starts a fake in the running tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or the folder of cases cannot be read.
    pub async fn start(setup: Setup) -> io::Result<Self> {
        let listener = TcpListener::bind(setup.address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(&setup, format!("http://{address}"))?);
        let listener = tokio::spawn(listen(listener, Arc::clone(&state)));
        Ok(Self { state, address, listener })
    }

    /// `http://127.0.0.1:port`, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a rule for every request that fits, or for [`Rule::times`] of them.
    pub fn script(&self, rule: Rule) {
        lock(&self.state.script).push(rule);
    }

    /// Adds a rule for the next request that fits (or the next [`Rule::times`]).
    pub fn next(&self, mut rule: Rule) {
        rule.times = rule.times.or(Some(1));
        self.script(rule);
    }

    /// Forgets all rules.
    pub fn clear_script(&self) {
        lock(&self.state.script).clear();
    }

    /// Rules that have not been used up.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        lock(&self.state.script).rules()
    }

    /// What reached it, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state.log.entries(0)
    }

    /// What reached it, from the entry with this number on.
    #[must_use]
    pub fn log_since(&self, number: u64) -> Vec<Entry> {
        self.state.log.entries(number)
    }

    /// Forgets what reached it.
    pub fn clear_log(&self) {
        self.state.log.clear();
    }

    /// Forgets script, log and counters.
    pub fn reset(&self) {
        control::reset(&self.state);
    }

    /// Waits until the log satisfies a condition, at most so long; gives the log as it is then.
    pub async fn wait_for(
        &self,
        patience: Duration,
        condition: impl Fn(&[Entry]) -> bool,
    ) -> Vec<Entry> {
        let waiting = async {
            loop {
                let changed = self.state.log.changed();
                if condition(&self.log()) {
                    break;
                }
                // An answer's ending wakes at once; a new request is seen at the next look.
                let _ = tokio::time::timeout(Duration::from_millis(5), changed).await;
            }
        };
        let _ = tokio::time::timeout(patience, waiting).await;
        self.log()
    }

    /// Looks at or changes projects, keys and counters.
    pub fn google<T>(&self, look: impl FnOnce(&mut Google) -> T) -> T {
        look(&mut lock(&self.state.google))
    }

    /// Puts the clock of the quotas ahead.
    pub fn advance(&self, time: Duration) {
        self.state.advance(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    /// Loads a folder of recorded cases, to be served by [`Rule::case`]; gives their number.
    ///
    /// # Errors
    /// When the folder or one of its files cannot be read.
    pub fn load_cases(&self, folder: &Path) -> io::Result<usize> {
        self.state.load_cases(folder)
    }

    /// A loaded case.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<Arc<Case>> {
        self.state.case(id)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mock").field("address", &self.address).finish_non_exhaustive()
    }
}
