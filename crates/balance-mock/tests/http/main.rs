//! The fake over real sockets, seen by a client that knows nothing but bytes. Invariant: no test
//! waits for a fixed time where the log can tell.

#[cfg(test)]
mod api;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod hangups;
#[cfg(test)]
mod models;
#[cfg(test)]
mod quota;
#[cfg(test)]
mod raw;
