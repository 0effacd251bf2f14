//! Which way a request leaves by: directly, or through one of several proxies.
//!
//! A key keeps its proxy (Google sees each key come from one address), by rendezvous hashing: every
//! proxy gets a score for the key and the highest wins. No state is needed, restarts change
//! nothing, and with a proxy added or removed only the keys that it wins or loses move.
//!
//! Invariant: the score depends on the key's id and the proxy's address alone.

use balance_core::{
    host::{BoxError, Payload},
    key::KeyId,
    settings::Settings,
};
use bytes::Bytes;
use http::Request;
use http_body::Body;
use rustls::ClientConfig;
use sha2::{Digest, Sha256};

use crate::{connections::Connections, connector::Connector, proxy::Proxy};

/// All ways to upstream; at least one.
#[derive(Debug)]
pub(crate) struct Egress<I> {
    /// Used alone when there are no proxies.
    first: Way<I>,
    others: Vec<Way<I>>,
    by_key: bool,
}

#[derive(Debug)]
struct Way<I> {
    /// Stands for the proxy in scores.
    seed: u64,
    connections: Connections<I>,
}

impl<I> Egress<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    /// # Errors
    /// What is wrong with a proxy.
    pub(crate) fn new(settings: &Settings, tls: &ClientConfig) -> Result<Self, String> {
        let ways = settings.proxies.0.iter().map(|url| {
            let proxy = Proxy::read(url)?;
            Way::new(Some(&proxy), tls)
        });
        let mut ways = ways.collect::<Result<Vec<_>, String>>()?;
        let first = ways.pop().map_or_else(|| Way::new(None, tls), Ok)?;
        Ok(Self { first, others: ways, by_key: settings.proxies_by_key.0 })
    }

    /// The way for this request; `chance` decides where no key does.
    pub(crate) fn pick(
        &self,
        request: &Request<Payload<I>>,
        chance: impl FnOnce() -> u64,
    ) -> &Connections<I> {
        if self.others.is_empty() {
            return &self.first.connections;
        }
        let key = request.extensions().get::<KeyId>().filter(|_| self.by_key);
        // Of scores that chance seeds, each proxy's is equally often the highest.
        let key = key.map_or_else(chance, |key| key.as_u64());
        let ways = std::iter::once(&self.first).chain(&self.others);
        &ways.max_by_key(|way| score(key, way.seed)).unwrap_or(&self.first).connections
    }
}

impl<I> Way<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    fn new(proxy: Option<&Proxy>, tls: &ClientConfig) -> Result<Self, String> {
        let seed = proxy.map_or(0, seed);
        Ok(Self { seed, connections: Connections::new(Connector::new(proxy, tls)?) })
    }
}

/// The password is left out, so that changing it moves no key; the user is not, as providers give
/// many exits at one address, told apart by user name.
fn seed(proxy: &Proxy) -> u64 {
    let mut digest = Sha256::new();
    digest.update(proxy.address.to_string());
    if let Some(credentials) = &proxy.credentials {
        digest.update(&credentials.user);
    }
    digest.finalize().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// A number that looks random but follows from both (the finalizer of SplitMix64).
const fn score(key: u64, seed: u64) -> u64 {
    let mut mixed = key ^ seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 10_000;

    fn proxies(names: std::ops::Range<usize>) -> Vec<u64> {
        let urls = names.map(|n| format!("http://proxy{n}.test:8080").parse().unwrap());
        urls.map(|url| seed(&Proxy::read(&url).unwrap())).collect()
    }

    fn winner(proxies: &[u64], key: u64) -> u64 {
        let key = KeyId::of(&format!("key {key}")).as_u64();
        *proxies.iter().max_by_key(|seed| score(key, **seed)).unwrap()
    }

    #[test]
    fn keys_spread_evenly_over_proxies() {
        let proxies = proxies(0..5);
        for proxy in &proxies {
            let share = (0..KEYS).filter(|key| winner(&proxies, *key) == *proxy).count();
            assert!((1800..2200).contains(&share), "{share} of {KEYS} keys");
        }
    }

    #[test]
    fn a_new_proxy_takes_its_share_and_moves_no_other_key() {
        let (before, after) = (proxies(0..4), proxies(0..5));
        let moved = (0..KEYS).filter(|key| winner(&before, *key) != winner(&after, *key));
        let moved: Vec<_> = moved.collect();
        assert!((1800..2200).contains(&moved.len()), "{} keys moved", moved.len());
        assert!(moved.iter().all(|key| winner(&after, *key) == after[4]));
    }

    #[test]
    fn scores_are_the_same_on_every_start() {
        // printf http://proxy0.test:8080/ | sha256sum
        assert_eq!(proxies(0..1), [SEED_OF_PROXY_0]);
        assert_eq!(score(KeyId::of("abc").as_u64(), SEED_OF_PROXY_0), SCORE_OF_ABC);
    }

    #[test]
    fn a_new_password_moves_no_key_and_another_user_is_another_proxy() {
        let seed = |url: &str| seed(&Proxy::read(&url.parse().unwrap()).unwrap());
        assert_eq!(seed("http://u:old@proxy.test"), seed("http://u:new@proxy.test"));
        assert_ne!(seed("http://u:old@proxy.test"), seed("http://v:old@proxy.test"));
    }

    const SEED_OF_PROXY_0: u64 = 0x8df7_3630_d758_ac94;
    const SCORE_OF_ABC: u64 = 0xbdf1_1bd5_ebdb_75a6;
}
