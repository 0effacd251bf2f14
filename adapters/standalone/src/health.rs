//! Asks a running server whether it is well: the check that containers make.
//!
//! Invariant: it asks the server that the settings describe, on this machine, and nobody else.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, bail};
use balance_core::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(4);

/// # Errors
/// It does not answer, or not that it is well.
pub(crate) fn ask(settings: &Settings) -> anyhow::Result<()> {
    let address = address(settings);
    let place = || format!("the server at {address} does not answer");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(place)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status).with_context(place)?;
    if !status.ends_with(b" 200") {
        bail!("the server at {address} is not well: {}", String::from_utf8_lossy(&status));
    }
    Ok(())
}

/// Where a server with these settings is to be reached from here.
fn address(settings: &Settings) -> SocketAddr {
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let ip = match host.parse() {
        Ok(IpAddr::V4(ip)) if !ip.is_unspecified() => IpAddr::V4(ip),
        Ok(IpAddr::V6(ip)) if !ip.is_unspecified() => IpAddr::V6(ip),
        Ok(IpAddr::V6(_)) => Ipv6Addr::LOCALHOST.into(),
        Ok(IpAddr::V4(_)) | Err(_) => Ipv4Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, u16::try_from(settings.port.value()).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        for (host, port, wanted) in [
            ("0.0.0.0", "8000", "127.0.0.1:8000"),
            ("::", "1", "[::1]:1"),
            ("[::]", "1", "[::1]:1"),
            ("192.0.2.1", "80", "192.0.2.1:80"),
            ("localhost", "80", "127.0.0.1:80"),
        ] {
            let value = |name: &str| match name {
                "HOST" => Some(host.into()),
                "PORT" => Some(port.into()),
                _ => None,
            };
            let settings = Settings::read(&value).unwrap();
            assert_eq!(address(&settings).to_string(), wanted, "{host}");
        }
    }
}
