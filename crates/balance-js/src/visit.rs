//! Whether an address that callers or the operator name may be fetched here.
//!
//! Invariant: an address that is written as such is judged as `fetch` will read it (`0x7f.1` is
//! 127.0.0.1 there). Names are followed only where they cannot lead to anything private.

use std::net::{IpAddr, Ipv6Addr};

use balance_core::{host::VisitError, reach::Reach};
use web_sys::Url;

use crate::{body::in_words, host::Network};

/// Endings of names that lead to private places by their meaning.
const PRIVATE_NAMES: [&str; 4] = ["localhost", ".localhost", ".internal", ".local"];

/// The address to fetch, as the web writes it.
///
/// # Errors
/// It is out of reach, or cannot be judged here.
pub(crate) fn judge(url: &str, reach: Reach, network: Network) -> Result<String, VisitError> {
    let url = Url::new(url).map_err(|thrown| lost(&in_words(&thrown)))?;
    judge_host(&url.hostname(), reach, network)?;
    Ok(url.href())
}

fn judge_host(host: &str, reach: Reach, network: Network) -> Result<(), VisitError> {
    if reach == Reach::Anywhere {
        return Ok(());
    }
    if let Some(address) = address(host) {
        return if reach.admits(address) { Ok(()) } else { Err(VisitError::OutOfReach) };
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if PRIVATE_NAMES.iter().any(|private| name.ends_with(private)) {
        return Err(VisitError::OutOfReach);
    }
    if network == Network::Open { Ok(()) } else { Err(lost(UNSEEN)) }
}

const UNSEEN: &str = "this runtime does not show where a name leads, and it might lead to a private \
    address. Send the file itself, or, if all callers are trusted, set REMOTE_PRIVATE=true";

fn address(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

fn lost(why: &str) -> VisitError {
    VisitError::Lost(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_the_reach_wherever_names_lead() {
        for network in [Network::Open, Network::Own] {
            for private in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]"] {
                let judged = judge_host(private, Reach::Public, network);
                assert!(matches!(judged, Err(VisitError::OutOfReach)), "{private}");
                assert!(judge_host(private, Reach::Anywhere, network).is_ok());
            }
            assert!(judge_host("8.8.8.8", Reach::Public, network).is_ok());
        }
    }

    #[test]
    fn names_are_followed_where_they_can_lead_to_the_open_network_only() {
        assert!(judge_host("example.com", Reach::Public, Network::Open).is_ok());
        let unseen = judge_host("example.com", Reach::Public, Network::Own).unwrap_err();
        assert!(unseen.to_string().contains("REMOTE_PRIVATE"), "{unseen}");
        assert!(judge_host("example.com", Reach::Anywhere, Network::Own).is_ok());
    }

    #[test]
    fn names_of_private_places_are_out_of_reach_everywhere() {
        for name in
            ["localhost", "LOCALHOST.", "a.localhost", "metadata.google.internal", "tv.local"]
        {
            let judged = judge_host(name, Reach::Public, Network::Open);
            assert!(matches!(judged, Err(VisitError::OutOfReach)), "{name}");
        }
    }
}
