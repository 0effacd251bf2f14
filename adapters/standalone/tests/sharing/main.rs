//! Three servers over one pool of keys, before a Google that counts truly: what they share through a
//! real Redis, and what needs none.

#![cfg(test)]

mod affinity;
mod fleet;
mod quotas;
