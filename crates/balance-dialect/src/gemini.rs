//! Gemini's wire format.
//!
//! Only what the gateway touches is typed; everything else is kept or passed by untouched.

pub mod embed;
pub mod error;
pub mod generate;
pub mod models;
