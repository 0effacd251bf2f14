//! All runtimes, in the order of the table.
//!
//! Invariant: a runtime is one row here and one module below, and appears nowhere else.

mod standalone;

use crate::runtime::Runtime;

pub(crate) const RUNTIMES: &[Runtime] = &[standalone::BINARY];
