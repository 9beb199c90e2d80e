//! Forms with files, as clients post them.

/// One part of a form.
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) bytes: &'a [u8],
}

/// A `multipart/form-data` body (RFC 7578), whose first line is its boundary.
pub(crate) fn parts(body: &[u8]) -> Option<Vec<Part<'_>>> {
    let end = find(body, b"\r\n")?;
    let boundary = body.get(..end).filter(|line| line.starts_with(b"--"))?;
    let between = [b"\r\n".as_slice(), boundary].concat();
    let mut rest = &body[end..];
    let mut parts = Vec::new();
    // After the last boundary stand two hyphens instead of a line's end.
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        let length = find(after, &between)?;
        parts.extend(part(&after[..length]));
        rest = &after[length + between.len()..];
    }
    Some(parts)
}

fn part(part: &[u8]) -> Option<Part<'_>> {
    let head = find(part, b"\r\n\r\n")?;
    let lines = std::str::from_utf8(&part[..head]).ok()?;
    let header = |name: &str| {
        let line = lines.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
        Some(line[name.len()..].trim().to_owned())
    };
    let disposition = header("content-disposition:")?;
    let value = |key: &str| {
        let from = disposition.find(&format!(" {key}=\""))? + key.len() + 3;
        Some(disposition[from..].split('"').next()?.to_owned())
    };
    Some(Part {
        name: value("name")?,
        file_name: value("filename"),
        mime_type: header("content-type:"),
        bytes: &part[head + 4..],
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut start = 0;
    // By the byte first: a document has a hundred million places to look at.
    loop {
        start += bytes.get(start..)?.iter().position(|byte| byte == first)?;
        if bytes[start..].starts_with(wanted) {
            return Some(start);
        }
        start += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_apart() {
        let body = b"--x1\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--x1\r\n\
                     Content-Disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\nContent-Type: image/png\r\n\r\n\
                     \x89PNG\r\n--x\r\n--x1--\r\n";
        let parts = parts(body).unwrap();
        assert_eq!((parts[0].name.as_str(), parts[0].bytes), ("messaging_product", b"whatsapp".as_slice()));
        assert_eq!(
            (parts[1].file_name.as_deref(), parts[1].mime_type.as_deref()),
            (Some("a b.png"), Some("image/png"))
        );
        assert_eq!(parts[1].bytes, b"\x89PNG\r\n--x");
    }

    #[test]
    fn what_is_no_form_has_no_parts() {
        for body in [b"".as_slice(), b"{}", b"--x", b"--x\r\n", b"--x\r\nhead only\r\n--x--"] {
            assert!(parts(body).is_none_or(|parts| parts.is_empty()), "{body:?}");
        }
    }
}
