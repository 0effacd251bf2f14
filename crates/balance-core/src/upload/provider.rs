//! The providers that keep pictures: how each is asked, and where it says the picture is.
//!
//! Invariant: a provider is there only with all that it needs; its credential goes to it alone.

use balance_dialect::translate::hosted::Drawn;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::oss::Oss;
use crate::{
    settings::{BaseUrl, Settings, UploadProvider},
    time::Timestamp,
};

/// Where SM.MS takes pictures.
const SMMS: &str = "https://sm.ms/api/v2/upload";

/// A provider, with all that it needs.
#[derive(Debug)]
pub(crate) enum Provider<'s> {
    Smms { token: &'s str, url: &'s str },
    Picgo { key: &'s str, url: &'s str, is_own: bool },
    Cloudflare { url: &'s str, code: &'s str, folder: &'s str },
    Oss(Oss<'s>),
}

impl<'s> Provider<'s> {
    /// The provider that the operator has chosen; none without its credential, as settings of other
    /// servers name one that is not in use.
    pub(crate) fn of(settings: &'s Settings) -> Option<Self> {
        match settings.upload_provider? {
            UploadProvider::Smms => {
                let token = settings.smms_token.as_ref()?.expose();
                let url = settings.smms_url.as_ref().map_or(SMMS, BaseUrl::as_str);
                Some(Self::Smms { token, url })
            }
            UploadProvider::Picgo => {
                let (key, url) =
                    (settings.picgo_key.as_ref()?.expose(), settings.picgo_url.as_str());
                let is_own = !url.starts_with("https://www.picgo.net/");
                Some(Self::Picgo { key, url, is_own })
            }
            UploadProvider::CloudflareImgbed => Some(Self::Cloudflare {
                url: settings.imgbed_url.as_ref()?.as_str(),
                code: settings.imgbed_code.as_ref().map_or("", |code| code.expose()),
                folder: &settings.imgbed_folder,
            }),
            UploadProvider::AliyunOss => Oss::of(settings).map(Self::Oss),
        }
    }

    /// The request that gives it a picture; none if that cannot be written.
    pub(super) fn request(
        &self,
        picture: &Drawn,
        now: Timestamp,
        chance: u64,
    ) -> Option<Request<Bytes>> {
        let name = format!("{chance:016x}.{}", ending(&picture.mime_type));
        match self {
            Self::Smms { token, url } => {
                let header = (header::AUTHORIZATION, format!("Basic {token}"));
                post((*url).to_owned(), "smfile", &name, picture, Some(header))
            }
            // One's own server of this kind takes the key in its address.
            Self::Picgo { key, url, is_own: true } => {
                post(format!("{url}?key={}", encoded(key)), "source", &name, picture, None)
            }
            Self::Picgo { key, url, is_own: false } => {
                let header = (HeaderName::from_static("x-api-key"), (*key).to_owned());
                post((*url).to_owned(), "source", &name, picture, Some(header))
            }
            Self::Cloudflare { url, code, folder } => {
                let mut url = format!("{url}?authCode={}&uploadNameType=origin", encoded(code));
                if !folder.is_empty() {
                    url.push_str("&uploadFolder=");
                    url.push_str(&encoded(folder));
                }
                post(url, "file", &name, picture, None)
            }
            Self::Oss(oss) => oss.request(picture, &name, now),
        }
    }

    /// Where the picture is, by what the provider said at `asked`.
    pub(super) fn address(&self, asked: &Uri, said: &[u8]) -> Option<String> {
        let address = match self {
            Self::Oss(_) => asked.to_string(),
            Self::Smms { .. } | Self::Picgo { .. } | Self::Cloudflare { .. } => {
                let said: Value = balance_dialect::json::read(said).ok()?;
                PLACES.iter().find_map(|place| said.pointer(place)?.as_str())?.to_owned()
            }
        };
        match (address.starts_with('/'), asked.scheme_str(), asked.authority()) {
            (true, Some(scheme), Some(authority)) => {
                Some(format!("{scheme}://{authority}{address}"))
            }
            (true, _, _) => None,
            (false, _, _) => Some(address).filter(|address| address.starts_with("http")),
        }
    }
}

/// Where providers say the address, each in its own way: SM.MS, and of a picture that it has already;
/// PicGo, and other servers of Chevereto's kind; Cloudflare ImgBed.
const PLACES: [&str; 5] = ["/data/url", "/images", "/result/0", "/image/url", "/0/src"];

/// A form with one file.
fn post(
    url: String,
    field: &str,
    name: &str,
    picture: &Drawn,
    header: Option<(HeaderName, String)>,
) -> Option<Request<Bytes>> {
    let boundary = format!("picture-{name}");
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: {}\r\n\r\n",
        picture.mime_type
    )
    .into_bytes();
    body.extend_from_slice(&picture.bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let mut request = Request::post(url).body(Bytes::from(body)).ok()?;
    let kind = format!("multipart/form-data; boundary={boundary}");
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::try_from(kind).ok()?);
    if let Some((name, value)) = header {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Some(request)
}

fn ending(mime_type: &str) -> &str {
    match mime_type.strip_prefix("image/") {
        Some("jpeg") => "jpg",
        Some(kind @ ("webp" | "gif")) => kind,
        Some(_) | None => "png",
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMMS_HERE: Provider<'static> = Provider::Smms { token: "t", url: SMMS };

    fn address(said: &str) -> Option<String> {
        SMMS_HERE.address(&"https://img.test/upload?authCode=x".parse().unwrap(), said.as_bytes())
    }

    #[test]
    fn each_provider_s_word_for_the_address_is_understood() {
        for said in [
            r#"{"success":true,"code":"success","data":{"url":"https://a.test/1.png","width":1}}"#,
            r#"{"success":false,"code":"image_repeated","images":"https://a.test/1.png"}"#,
            r#"{"success":true,"result":["https://a.test/1.png"]}"#,
            r#"{"status_code":200,"image":{"url":"https://a.test/1.png"}}"#,
            r#"[{"src":"https://a.test/1.png"}]"#,
        ] {
            assert_eq!(address(said).as_deref(), Some("https://a.test/1.png"), "{said}");
        }
        assert_eq!(
            address(r#"[{"src":"/file/1.png"}]"#).as_deref(),
            Some("https://img.test/file/1.png")
        );
        for said in ["", "[]", "{}", r#"{"data":{}}"#, r#"{"images":"javascript:x"}"#, "<html>"] {
            assert_eq!(address(said), None, "{said}");
        }
    }

    #[test]
    fn a_picture_goes_out_as_a_form() {
        let picture = balance_dialect::translate::hosted::pictures(
            br#"{"predictions":[{"bytesBase64Encoded":"R0lG","mimeType":"image/gif"}]}"#,
        );
        let request = SMMS_HERE.request(&picture[0], Timestamp::from_unix_millis(0), 1).unwrap();
        assert_eq!(request.headers()["authorization"], "Basic t");
        let kind = request.headers()["content-type"].to_str().unwrap();
        let fields = balance_dialect::form::fields(request.body(), kind).unwrap();
        assert_eq!((fields[0].name, fields[0].bytes), ("smfile", &b"GIF"[..]));
        assert_eq!(fields[0].filename, Some("0000000000000001.gif"));
    }
}
