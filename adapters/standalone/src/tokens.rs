//! The access token that guards a pool whose operator set none.
//!
//! Invariant: its text is known for one moment, to be printed; only its SHA-256 is kept, in a file
//! that nobody else may read. A pool is never left open because a file could not be used.

use std::{
    fmt::Write as _,
    fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use balance_core::settings::Settings;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What opens the pool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// There is no pool to guard.
    NoPool,
    /// Nothing: the operator let everybody in.
    Nothing,
    /// The tokens that the operator set.
    Given,
    /// The token that was made at an earlier start and is remembered in this file.
    Remembered(PathBuf),
    /// A new token, to be shown now and never again; and the file that remembers its hash, if
    /// there is one.
    Made { token: String, file: Option<PathBuf> },
}

/// What the state file holds.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    /// 64 hex digits.
    access_token_sha256: String,
}

/// Sees to it that a pool has a guard, and adds a made token to the settings.
///
/// # Errors
/// The state file cannot be read, understood or written.
pub(crate) fn guard(settings: &mut Settings) -> anyhow::Result<Guard> {
    if settings.api_keys.0.is_empty() {
        return Ok(Guard::NoPool);
    }
    if settings.open_pool.0 {
        return Ok(Guard::Nothing);
    }
    if !settings.access_tokens.is_empty() {
        return Ok(Guard::Given);
    }
    let file = Some(&settings.state_file).filter(|file| !file.is_empty()).map(PathBuf::from);
    if let Some(file) = &file
        && let Some(digest) = recall(file)?
    {
        settings.access_tokens.push(digest);
        return Ok(Guard::Remembered(file.clone()));
    }
    let token = format!("gb-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>()));
    let digest = Sha256::digest(&token).into();
    if let Some(file) = &file {
        remember(file, digest).with_context(|| {
            format!(
                "the access token cannot be remembered in {}. Set ACCESS_TOKENS, or STATE_FILE to \
                 a file that can be written",
                file.display()
            )
        })?;
    }
    settings.access_tokens.push(digest);
    Ok(Guard::Made { token, file })
}

/// The digest in the file, if there is a file.
fn recall(file: &Path) -> anyhow::Result<Option<[u8; 32]>> {
    let remedy = || {
        format!(
            "the state file {} cannot be used. Put it right, or delete it to have a new access \
             token made",
            file.display()
        )
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(remedy),
    };
    let state: State = serde_json::from_str(&text).with_context(remedy)?;
    let digest = unhex(&state.access_token_sha256);
    let digest = digest.ok_or_else(|| anyhow!("access_token_sha256 wants 64 hex digits"));
    digest.map(Some).with_context(remedy)
}

/// Writes the file whole or not at all.
fn remember(file: &Path, digest: [u8; 32]) -> io::Result<()> {
    let state = State { access_token_sha256: hex(digest) };
    let mut text = serde_json::to_string_pretty(&state)?;
    text.push('\n');
    let mut draft = file.as_os_str().to_owned();
    draft.push(".new");
    // One that was left by a crash may have other rights.
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut writer = for_owner_alone().open(&draft)?;
    writer.write_all(text.as_bytes())?;
    writer.sync_all()?;
    fs::rename(&draft, file)
}

fn for_owner_alone() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let pairs = text.as_bytes().chunks(2);
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests;
