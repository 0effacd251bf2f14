//! A load that shows a compiler which parts of the server are used.
//!
//! Invariant: all ways of a request that are measured are trained, on a server of one core and on
//! one of several, since these schedule their work differently.

use std::{process::Command, time::Duration};

use crate::load::Load;

use super::{
    fleet::{Cores, Folder, Member, Programs, Target, Upstream, start_mock, start_server},
    process::{pin_self, pinned},
    workload::WORKLOADS,
};

const DURATION: Duration = Duration::from_secs(1);
const CONNECTIONS: [usize; 2] = [1, 64];
const EVENTS: usize = 32;

/// Puts load on a server that writes down what it runs through, and ends it.
///
/// # Errors
/// When a program does not start or answers wrongly.
pub async fn train(programs: &Programs) -> anyhow::Result<()> {
    let cores = Cores::of_this_machine()?;
    pin_self(cores.load)?;
    let folder = Folder::create()?;
    let mock = start_mock(programs, cores, Upstream::Burst { events: EVENTS }, &folder)?;
    for command in [pinned(cores.measured, &programs.server), Command::new(&programs.server)] {
        put_load_on(&start_server(command, mock.address, &folder).await?).await?;
    }
    Ok(())
}

async fn put_load_on(server: &Member) -> anyhow::Result<()> {
    let address = server.address;
    for workload in WORKLOADS {
        let request = workload.request(Target::Server, address, &server.credential);
        let body_bytes = workload.probe(Target::Server, address, &request).await?;
        for connections in CONNECTIONS {
            eprintln!("train: {}, {connections} connections", workload.name);
            let request = request.clone();
            let load = Load { address, request, body_bytes, connections, duration: DURATION };
            load.run(|| {}, || {}).await?;
        }
    }
    Ok(())
}
