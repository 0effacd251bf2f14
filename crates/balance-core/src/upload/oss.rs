//! Aliyun's object storage: an object is put with a signature (OSS4-HMAC-SHA256).
//!
//! Invariant: the secret leaves this module only as a signature over one request.

use std::fmt::Write;

use balance_dialect::translate::hosted::Drawn;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Request, header};
use sha2::{Digest, Sha256};

use crate::{settings::Settings, time::Timestamp};

/// A bucket, and who may write to it.
#[derive(Debug)]
pub(crate) struct Oss<'s> {
    bucket: &'s str,
    /// Scheme and host of the bucket.
    origin: String,
    region: String,
    id: &'s str,
    secret: &'s crate::secret::Secret,
}

impl<'s> Oss<'s> {
    /// The bucket of the settings; none unless all of it is set.
    pub(crate) fn of(settings: &'s Settings) -> Option<Self> {
        let endpoint = settings.oss_endpoint.trim_end_matches('/');
        let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", endpoint));
        let is_set = |text: &&str| !text.is_empty();
        let bucket = Some(settings.oss_bucket.as_str()).filter(is_set)?;
        let host = Some(host).filter(is_set)?;
        // `oss-cn-hangzhou.aliyuncs.com` lies in `cn-hangzhou`.
        let named =
            Some(settings.oss_region.as_str()).filter(is_set).or_else(|| host.split('.').next())?;
        let region = named.strip_prefix("oss-").unwrap_or(named).trim_end_matches("-internal");
        let origin = match host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('.')) {
            true => format!("{scheme}://{host}"),
            false => format!("{scheme}://{bucket}.{host}"),
        };
        let secret = settings.oss_secret.as_ref()?;
        let id = settings.oss_key.as_ref()?.expose();
        Some(Self { bucket, origin, region: region.to_owned(), id, secret })
    }

    /// The request that puts a picture where everybody may read it.
    pub(super) fn request(
        &self,
        picture: &Drawn,
        name: &str,
        now: Timestamp,
    ) -> Option<Request<Bytes>> {
        let Stamp { day, time, folder } = Stamp::of(now);
        let (kind, path) = (picture.mime_type.as_str(), format!("/{folder}/{name}"));
        let headers = [
            ("content-type", kind),
            ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-oss-date", &time),
            ("x-oss-object-acl", "public-read"),
        ];
        let mut canonical = format!("PUT\n/{}{path}\n\n", self.bucket);
        for (name, value) in headers {
            // Writing to a string cannot fail.
            let _ = writeln!(canonical, "{name}:{value}");
        }
        canonical.push_str("\n\nUNSIGNED-PAYLOAD");
        let scope = format!("{day}/{}/oss/aliyun_v4_request", self.region);
        let signature = sign(self.secret.expose(), &scope, &time, &canonical)?;
        let permission =
            format!("OSS4-HMAC-SHA256 Credential={}/{scope},Signature={signature}", self.id);
        let bytes = Bytes::from(picture.bytes.clone());
        let mut request = Request::put(format!("{}{path}", self.origin)).body(bytes).ok()?;
        for (name, value) in headers {
            request.headers_mut().insert(name, HeaderValue::from_str(value).ok()?);
        }
        let mut permission = HeaderValue::try_from(permission).ok()?;
        permission.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, permission);
        Some(request)
    }
}

/// The signature over a request; `scope` is day, region, product and version, which the key of the
/// signature is made from.
fn sign(secret: &str, scope: &str, time: &str, canonical: &str) -> Option<String> {
    let digest = hex(&Sha256::digest(canonical));
    let text = format!("OSS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
    let mut key = format!("aliyun_v4{secret}").into_bytes();
    for word in scope.split('/').chain([text.as_str()]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(word.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Some(hex(&key))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A moment in Greenwich, as the signature and the folders have it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    day: String,
    time: String,
    folder: String,
}

impl Stamp {
    fn of(now: Timestamp) -> Self {
        let seconds = now.unix_seconds();
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let date = format!("{year:04}{month:02}{day:02}");
        Self {
            time: format!("{date}T{hour:02}{minute:02}{second:02}Z"),
            day: date,
            folder: format!("{year:04}/{month:02}/{day:02}"),
        }
    }
}

/// Year, month and day of a day counted from the epoch. The year is taken to begin in March, so
/// that the leap day is its last; an era has 400 years.
const fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let turn = if month <= 2 { 1 } else { 0 };
    (era * 400 + year + turn, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_the_dates_of_the_calendar() {
        for (seconds, time) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_744_353_684, "20250411T064124Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(Stamp::of(Timestamp::from_unix_millis(seconds * 1000)).time, time);
        }
    }

    #[test]
    fn a_request_is_signed_as_aliyun_documents_it() {
        // The request, and its digest, of Aliyun's documentation of the signature in a header.
        let canonical = "PUT\n/examplebucket/exampleobject\n\ncontent-disposition:attachment\n\
            content-length:3\ncontent-md5:ICy5YqxZB1uWSwcVLSNLcA==\ncontent-type:text/plain\n\
            x-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:20250411T064124Z\n\n\
            content-disposition;content-length\nUNSIGNED-PAYLOAD";
        assert_eq!(
            hex(&Sha256::digest(canonical)),
            "c46d96390bdbc2d739ac9363293ae9d710b14e48081fcb22cd8ad54b63136eca"
        );
        let scope = "20250411/cn-hangzhou/oss/aliyun_v4_request";
        // The documentation hides its secret; this is by `hmac` of Python, step by step as it says.
        let signature = sign("yourAccessKeySecret", scope, "20250411T064124Z", canonical);
        assert_eq!(
            signature.as_deref(),
            Some("d3694c2dfc5371ee6acd35e88c4871ac95a7ba01d3a2f476768fe61218590097")
        );
    }
}
