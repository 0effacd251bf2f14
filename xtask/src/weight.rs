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
    println!("{what}: {whole} bytes, {packed} compressed, of {budget} allowed");
    if packed <= budget {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{what} has {packed} bytes compressed and may have {budget}; see what grew, or raise its BUDGET"
    )))
}

/// The size of a file after `gzip -9`.
fn compressed(file: &PathBuf) -> Result<u64, Failure> {
    let line = r#"gzip -9 -c "$0" | wc -c"#;
    let count = capture(program("sh").args(["-c", line]).arg(file))?;
    let count = count.trim();
    count.parse().map_err(|_| Failure::new(format!("gzip said {count:?} of {}", file.display())))
}
