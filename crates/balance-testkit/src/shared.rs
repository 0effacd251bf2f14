//! Material for tests that lies beside the checkout, in a folder `shared`: recorded exchanges with
//! Gemini, and scripts of real clients. It is no part of the repository.
//!
//! Invariant: where it is absent, whoever asks is told so, and goes on with the repository's own.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The folder of this name in `shared`, searched upwards from here.
#[must_use]
pub fn folder(name: &str) -> Option<PathBuf> {
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut folders = ancestors.map(|folder| folder.join("shared").join(name));
    folders.find(|folder| folder.is_dir())
}

/// Tells how much was tested, past the capture of test runners, which `println!` ends in.
pub fn tell(line: &str) {
    // If nobody reads it, there is nobody to tell.
    let _unread = writeln!(io::stderr().lock(), "{line}");
}

/// The repository's own folder of this name.
#[must_use]
pub fn own_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}
