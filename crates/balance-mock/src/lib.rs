//! A fake Gemini API: true quotas, Google's error bodies, scripted faults, recorded answers, and a
//! log of what reached it. Invariant: what is not scripted is answered as Google would, and the
//! fake shares no code with the key pool that it tests.
//!
//! # In a test
//! ```
//! use balance_mock::{ErrorName, Mock, Rule, Setup};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! let mock = Mock::start(Setup::good_keys(3)).await?; // 127.0.0.1, a free port, until dropped
//! let url = mock.base_url();                          // give this to what is tested
//! let key = Setup::secret("good", 1);                 // and this: "AIzaSyMock-good-000…1"
//!
//! mock.script(Rule::error(ErrorName::QuotaDay).on_key("good-1")); // for ever
//! mock.next(Rule { cut: Some(100), ..Rule::default() });          // the next request only
//!
//! for entry in mock.log() {
//!     println!("{} {} by {:?}: {:?}", entry.method, entry.path(), entry.secret(), entry.ending);
//! }
//! # let _ = (url, key); Ok(()) }
//! ```
//! [`Setup`] makes projects, keys and limits; [`Rule`] says what goes wrong and for whom;
//! [`Entry`] is what the log tells; [`Mock::wait_for`] waits until the log shows something;
//! [`Mock::google`] reaches the counters; [`Mock::advance`] puts the quotas' clock ahead.
//! Recorded exchanges are loaded with [`Mock::load_cases`] and answered with [`Rule::case`].
//!
//! # On the command line
//! `cargo run -p balance-mock` listens on 127.0.0.1:8090 and prints keys to copy; `--help` lists
//! the flags. Everything a test can do is also in the control API:
//! ```text
#![doc = include_str!("control.txt")]
//! ```
//!
//! # Without a server
//! [`google::Google`] is the pure model of projects, keys and quotas: it takes the time as an
//! argument, so a simulation can run it on virtual time.

mod answer;
mod caches;
pub mod cases;
mod control;
mod credential;
mod files;
pub mod google;
mod log;
mod mock;
mod reply;
mod rule;
mod script;
mod serve;
mod server;
mod setup;
mod state;

pub use answer::Shape;
pub use credential::{Credential, CredentialPlace};
pub use google::{ErrorName, Key, Limits, Project, Strangers, Tier};
pub use log::{Chunk, Ending, Entry};
pub use mock::Mock;
pub use rule::{ErrorEvent, ErrorForm, Rule};
pub use setup::{Population, Setup};
