//! Forms as browsers and clients send them (`multipart/form-data`, RFC 7578), from bytes that are
//! all there.
//!
//! Crates for this read from sockets and bring a runtime's traits; here a slice is enough.
//!
//! Invariant: reading copies no bytes, ends for any input, and gives only fields that are whole.

use memchr::memmem;

/// One field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// The name of the file that it holds, if it is one.
    pub filename: Option<&'a str>,
    /// The media type that the client gives to it.
    pub content_type: Option<&'a str>,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// Why bytes are no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAForm {
    /// The content type has no boundary.
    #[error("its content type names no boundary")]
    NoBoundary,
    /// A part has no end, no name or a broken head.
    #[error("it breaks off, or a part of it has no name")]
    Broken,
}

/// Whether a content type is that of a form.
#[must_use]
pub fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// The fields of a form, in order.
///
/// # Errors
/// [`NotAForm`].
pub fn fields<'a>(body: &'a [u8], content_type: &str) -> Result<Vec<Field<'a>>, NotAForm> {
    let boundary = parameter(content_type, "boundary").filter(|name| !name.is_empty());
    let line = format!("--{}", boundary.ok_or(NotAForm::NoBoundary)?);
    let start = memmem::find(body, line.as_bytes()).ok_or(NotAForm::Broken)?;
    let mut rest = body.get(start + line.len()..).ok_or(NotAForm::Broken)?;
    let end = format!("\r\n{line}");
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n").ok_or(NotAForm::Broken)?;
        // A part may be empty but for its head, whose last line end is then the boundary's too.
        let head = memmem::find(part, b"\r\n\r\n").ok_or(NotAForm::Broken)?;
        let (head, bytes) = part.split_at_checked(head).ok_or(NotAForm::Broken)?;
        let bytes = bytes.get(4..).ok_or(NotAForm::Broken)?;
        let length = memmem::find(bytes, end.as_bytes()).ok_or(NotAForm::Broken)?;
        let (bytes, after) = bytes.split_at_checked(length).ok_or(NotAForm::Broken)?;
        fields.push(field(head, bytes)?);
        rest = after.get(end.len()..).ok_or(NotAForm::Broken)?;
    }
    Ok(fields)
}

fn field<'a>(head: &'a [u8], bytes: &'a [u8]) -> Result<Field<'a>, NotAForm> {
    let head = str::from_utf8(head).map_err(|_| NotAForm::Broken)?;
    let header = |wanted: &str| {
        let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
        headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition").ok_or(NotAForm::Broken)?;
    Ok(Field {
        name: parameter(disposition, "name").ok_or(NotAForm::Broken)?,
        filename: parameter(disposition, "filename"),
        content_type: header("content-type"),
        bytes,
    })
}

/// A parameter of a header's value, without its quotation marks.
fn parameter<'a>(value: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once(';') {
        let (name, after) = after.split_once('=')?;
        let (given, next) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(given.trim());
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=XY";

    #[test]
    fn fields_and_files_are_read_as_they_are() {
        let body = b"preamble\r\n--XY\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ng\r\n\
            --XY\r\ncontent-type: image/png\r\ncontent-disposition: form-data; filename=\"a;b.png\"; name=image[]\r\n\r\n\
            \x89PNG\r\n--X\r\n\r\n--XY\r\nContent-Disposition: form-data; name=\"none\"\r\n\r\n\r\n--XY--\r\nepilogue";
        let fields = fields(body, KIND).unwrap();
        let text = |name, bytes| Field { name, filename: None, content_type: None, bytes };
        assert_eq!(fields[0], text("model", &b"g"[..]));
        assert_eq!(
            fields[1],
            Field {
                name: "image[]",
                filename: Some("a;b.png"),
                content_type: Some("image/png"),
                bytes: b"\x89PNG\r\n--X\r\n",
            }
        );
        assert_eq!(fields[2..], [text("none", &b""[..])]);
    }

    #[test]
    fn boundaries_may_be_quoted() {
        let body = b"--a b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--a b--";
        for kind in [
            "multipart/form-data; charset=utf-8; boundary=\"a b\"",
            "Multipart/Form-Data;Boundary=a b",
        ] {
            assert!(is_form(kind));
            assert_eq!(fields(body, kind).unwrap()[0].bytes, b"1");
        }
        assert!(!is_form("application/json"));
    }

    #[test]
    fn what_is_no_whole_form_is_refused() {
        assert_eq!(fields(b"", "multipart/form-data"), Err(NotAForm::NoBoundary));
        let whole = b"--XY\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--XY--";
        for length in 0..whole.len() - 2 {
            assert_eq!(fields(&whole[..length], KIND), Err(NotAForm::Broken), "{length}");
        }
        assert!(fields(whole, KIND).is_ok());
        assert_eq!(fields(b"--XY\r\nX: y\r\n\r\n1\r\n--XY--", KIND), Err(NotAForm::Broken));
        assert_eq!(fields(b"--XY--", KIND), Ok(vec![]));
    }
}
