//! The types that settings have, each with the one way to read it from text.
//!
//! Invariant: an error says what is wanted, and never repeats a value that may be a secret.

use std::{collections::HashSet, fmt, num::NonZeroU32, str::FromStr, time::Duration};

use balance_dialect::json::{number, read_str};
use http::Uri;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    key::{Key, Tier},
    pool::Strategy,
    secret::Secret,
};

/// Why a text is no value of its type: what is wanted instead.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongValue(pub String);

impl WrongValue {
    fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// A type that a setting can have.
pub trait Value: Sized {
    /// What a value looks like, for the documentation.
    const KIND: &'static str;
    /// Reads a value from trimmed text.
    ///
    /// # Errors
    /// What was wanted instead.
    fn parse(text: &str) -> Result<Self, WrongValue>;
}

impl Value for String {
    const KIND: &'static str = "text";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        Ok(text.into())
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: &'static str = T::KIND;
    fn parse(text: &str) -> Result<Self, WrongValue> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switch(pub bool);

impl Value for Switch {
    const KIND: &'static str = "true or false";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(Self(true)),
            "false" | "0" | "no" => Ok(Self(false)),
            _ => Err(WrongValue::new("wanted true, false, 1, 0, yes or no")),
        }
    }
}

/// A whole number within bounds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The number as a size of this platform, capped at what it can address.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> Default for Bounded<MIN, MAX> {
    fn default() -> Self {
        Self(MIN)
    }
}

impl<const MIN: u64, const MAX: u64> Value for Bounded<MIN, MAX> {
    const KIND: &'static str = "whole number";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        whole_number(text, MIN, MAX).map(Self)
    }
}

fn whole_number(text: &str, least: u64, most: u64) -> Result<u64, WrongValue> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| WrongValue(format!("wanted a whole number from {least} to {most}")))
}

/// A time span in seconds, up to a day; a fraction is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seconds(pub Duration);

impl Value for Seconds {
    const KIND: &'static str = "seconds";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        const DAY_SECONDS: f64 = 86_400.0;
        number(text)
            .filter(|seconds| *seconds > 0.0 && *seconds <= DAY_SECONDS)
            .map(|seconds| Self(Duration::from_secs_f64(seconds)))
            .ok_or_else(|| WrongValue::new("wanted seconds, more than 0 and at most 86400"))
    }
}

impl Value for Strategy {
    const KIND: &'static str = "name of a strategy";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        Self::from_str(text).map_err(WrongValue::new)
    }
}

/// Whether callers may bring Gemini keys of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallerKeys {
    /// Only while the pool is empty.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Value for CallerKeys {
    const KIND: &'static str = "auto, always or never";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        match (text, Switch::parse(text)) {
            ("auto", _) => Ok(Self::Auto),
            ("always", _) | (_, Ok(Switch(true))) => Ok(Self::Always),
            ("never", _) | (_, Ok(Switch(false))) => Ok(Self::Never),
            (_, Err(_)) => Err(WrongValue::new("wanted auto, always or never")),
        }
    }
}

impl Value for Secret {
    const KIND: &'static str = "text";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        Ok(Self::new(text))
    }
}

/// Who keeps pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadProvider {
    /// SM.MS
    Smms,
    /// PicGo, or one's own server of its kind.
    Picgo,
    /// One's own Cloudflare ImgBed.
    CloudflareImgbed,
    /// Aliyun's object storage.
    AliyunOss,
}

impl Value for UploadProvider {
    const KIND: &'static str = "name of a provider";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        match text {
            "smms" => Ok(Self::Smms),
            "picgo" => Ok(Self::Picgo),
            "cloudflare_imgbed" => Ok(Self::CloudflareImgbed),
            "aliyun_oss" => Ok(Self::AliyunOss),
            _ => Err(WrongValue::new("wanted smms, picgo, cloudflare_imgbed or aliyun_oss")),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Value for LogFormat {
    const KIND: &'static str = "text or json";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(WrongValue::new("wanted text or json")),
        }
    }
}

/// Scheme and authority of a server, with a path prefix if it has one: no `/` at its end, and no
/// `/v1beta`, which requests bring themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BaseUrl {
    text: String,
    uri: Uri,
}

impl BaseUrl {
    /// The text to put in front of a path that begins with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of a path there, which begins with `/`, and its query.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub(crate) fn join(&self, target: &str) -> Result<Uri, http::Error> {
        let prefix = self.uri.path().trim_end_matches('/');
        let mut parts = http::uri::Parts::default();
        parts.scheme = self.uri.scheme().cloned();
        parts.authority = self.uri.authority().cloned();
        parts.path_and_query = Some(match prefix {
            "" => target.try_into()?,
            _ => [prefix, target].concat().try_into()?,
        });
        Ok(Uri::from_parts(parts)?)
    }
}

impl Value for BaseUrl {
    const KIND: &'static str = "URL";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let base = text.trim_end_matches('/');
        let base = base.strip_suffix("/v1beta").unwrap_or(base).trim_end_matches('/');
        let wanted =
            || WrongValue::new("wanted a URL such as https://generativelanguage.googleapis.com");
        let uri: Uri = base.parse().map_err(|_| wanted())?;
        let plain = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
            && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if plain { Ok(Self { text: base.into(), uri }) } else { Err(wanted()) }
    }
}

/// The keys of the pool, each once.
#[derive(Debug, Clone, Default)]
pub struct Keys(pub Vec<Key>);

impl Value for Keys {
    const KIND: &'static str = "keys, by commas or as a JSON list";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let mut seen = HashSet::new();
        let mut keys = Vec::new();
        for (index, item) in items(text)?.iter().enumerate() {
            let key =
                key(item).map_err(|reason| WrongValue(format!("key {}: {reason}", index + 1)))?;
            if seen.insert(key.id) {
                keys.push(key);
            }
        }
        Ok(Self(keys))
    }
}

/// A key as it stands in a list: its text alone, or an object with what is known of it.
fn key(item: &serde_json::Value) -> Result<Key, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Described {
        key: String,
        weight: Option<u32>,
        project: Option<String>,
        tier: Option<String>,
        enabled: Option<bool>,
    }
    if let Some(text) = item.as_str() {
        return Key::parse(text).map_err(|error| error.to_string());
    }
    let described: Described = read_str(&item.to_string()).map_err(|_| {
        "wanted a text, or an object with `key` and any of `weight`, `project`, `tier`, `enabled`"
    })?;
    let mut key = Key::parse(&described.key).map_err(|e| e.to_string())?;
    if let Some(weight) = described.weight {
        key.weight = NonZeroU32::new(weight)
            .filter(|weight| weight.get() <= 1000)
            .ok_or("`weight` wants a whole number from 1 to 1000")?;
    }
    key.project = described.project.map(Into::into);
    key.tier = match described.tier.as_deref() {
        None | Some("free") => Tier::Free,
        Some("paid") => Tier::Paid,
        Some(_) => return Err("`tier` wants free or paid".into()),
    };
    key.enabled = described.enabled.unwrap_or(true);
    Ok(key)
}

/// The tokens that callers may show, kept as SHA-256 digests only: comparing digests takes the same
/// time whatever the caller sent, and no token can be printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccessTokens(Vec<[u8; 32]>);

impl AccessTokens {
    /// Whether no token is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `credential` is one of the tokens.
    #[must_use]
    pub fn admit(&self, credential: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(credential).into();
        // No early end, so that the time does not tell which token was nearly right.
        self.0.iter().fold(false, |found, known| found | (*known == shown))
    }

    /// Adds a token by the SHA-256 digest of its text.
    pub fn push(&mut self, digest: [u8; 32]) {
        self.0.push(digest);
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} access tokens", self.0.len())
    }
}

impl Value for AccessTokens {
    const KIND: &'static str = "tokens, by commas or as a JSON list";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let digests = texts(text)?.into_iter().map(|token| match token.strip_prefix("sha256:") {
            Some(hex) => {
                digest(hex).ok_or_else(|| WrongValue::new("wanted 64 hex digits after `sha256:`"))
            }
            None => Ok(Sha256::digest(&token).into()),
        });
        digests.collect::<Result<_, _>>().map(Self)
    }
}

/// The proxies to reach upstream by. They may hold a password, so they are never printed.
#[derive(Clone, Default)]
pub struct Proxies(pub Vec<Uri>);

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} proxies", self.0.len())
    }
}

impl Value for Proxies {
    const KIND: &'static str = "URLs, by commas or as a JSON list";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let proxies = texts(text)?.into_iter().enumerate().map(|(index, text)| {
            text.parse::<Uri>()
                .ok()
                .filter(|uri| {
                    matches!(uri.scheme_str(), Some("http" | "https" | "socks5" | "socks5h"))
                        && uri.host().is_some_and(|host| !host.is_empty())
                })
                .ok_or_else(|| {
                    let place = index + 1;
                    WrongValue(format!(
                        "proxy {place}: wanted http://, https:// or socks5:// and a host"
                    ))
                })
        });
        proxies.collect::<Result<_, _>>().map(Self)
    }
}

/// The texts of a list, trimmed, without the empty ones.
pub(super) fn texts(text: &str) -> Result<Vec<String>, WrongValue> {
    let items = items(text)?;
    let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| WrongValue::new("wanted a list of texts"))
}

/// The items of a list that is written by commas or as JSON.
fn items(text: &str) -> Result<Vec<serde_json::Value>, WrongValue> {
    if text.starts_with('[') {
        let list: Vec<serde_json::Value> = read_str(text)
            .map_err(|error| WrongValue(format!("no JSON list (column {})", error.column())))?;
        return Ok(list
            .into_iter()
            .filter(|item| item.as_str().is_none_or(|t| !t.trim().is_empty()))
            .map(trimmed)
            .collect());
    }
    Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Into::into).collect())
}

fn trimmed(item: serde_json::Value) -> serde_json::Value {
    match item.as_str() {
        Some(text) => text.trim().into(),
        None => item,
    }
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
