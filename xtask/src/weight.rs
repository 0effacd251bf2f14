//! How heavy the files of a deployment are, and whether that is within their budget.
//!
//! Invariant: what is weighed is compressed, as it is when it is uploaded and loaded.

use std::{fs, path::PathBuf};

use crate::{
    process::{capture, program},
    tally::Failure,
};

/// Tells the weight of files, and fails if they are heavier than they may be together.
pub(crate) fn weigh(what: &str, files: &[PathBuf], budget: u64) -> Result<(), Failure> {
    let (mut whole, mut packed) = (0, 0);
    for file in files {
        let size = fs::metadata(file).map(|file| file.len());
        whole += size.map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        packed += compressed(file)?;
    }
    println!("{what}: {whole} bytes before they are compressed");
    hold(what, packed, budget)
}

/// Tells how many bytes something has, and fails if they are more than it may have.
pub(crate) fn hold(what: &str, bytes: u64, budget: u64) -> Result<(), Failure> {
    println!("{what}: {bytes} bytes of {budget} allowed");
    if bytes <= budget {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{what} has {bytes} bytes and may have {budget}; see what grew, or raise its BUDGET"
    )))
}

/// The size of a file after `gzip -9`.
fn compressed(file: &PathBuf) -> Result<u64, Failure> {
    let line = r#"gzip -9 -c "$0" | wc -c"#;
    let count = capture(program("sh").args(["-c", line]).arg(file))?;
    let count = count.trim();
    count.parse().map_err(|_| Failure::new(format!("gzip said {count:?} of {}", file.display())))
}
