//! The program as its operator meets it: started, spoken to over HTTP, stopped.

#![cfg(test)]

mod process;
mod start;
mod stop;
mod tokens;
mod traffic;
