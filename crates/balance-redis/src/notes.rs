//! Notes, kept by their subjects, and told in the order in which they were saved.
//!
//! Invariant: saving and loading are one step each at the server, so a revision that was told leaves
//! nothing behind it that is told later.

use balance_core::{
    store::{News, Note, Revision},
    time::Timestamp,
};
use redis::{RedisResult, Script, ScriptInvocation, aio::ConnectionLike};

/// How many notes one script takes or gives: the server does nothing else meanwhile.
const BATCH: usize = 500;

pub(crate) struct Notes {
    save: Script,
    load: Script,
    prefix: String,
}

impl Notes {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            save: Script::new(include_str!("save.lua")),
            load: Script::new(include_str!("load.lua")),
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) async fn save(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        notes: &[Note],
    ) -> RedisResult<()> {
        for notes in notes.chunks(BATCH) {
            let mut call = self.call(&self.save);
            for note in notes {
                let until = note.until.map(|until| until.unix_millis().to_string());
                call.arg(&note.subject).arg(&note.text).arg(until.unwrap_or_default());
            }
            call.invoke_async::<()>(connection).await?;
        }
        Ok(())
    }

    pub(crate) async fn load(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        since: Revision,
    ) -> RedisResult<News> {
        let mut call = self.call(&self.load);
        call.arg(since.0).arg(BATCH);
        let (revision, notes): (u64, Vec<(String, String, String)>) =
            call.invoke_async(connection).await?;
        let note = |(subject, text, until): (String, String, String)| Note {
            subject,
            text,
            until: until.parse().ok().map(Timestamp::from_unix_millis),
        };
        Ok(News { notes: notes.into_iter().map(note).collect(), revision: Revision(revision) })
    }

    /// A call of a script, with the names of what is kept.
    fn call<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        for what in ["texts", "revisions", "ends", "revision"] {
            call.key(format!("{}:notes:{what}", self.prefix));
        }
        call
    }
}
