//! Files: what Meta says of one, and its bytes, for which the token is shown to Meta's hosts only.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::stream::BoxStream;
use http::Method;
use reqwest::Url;

use super::{
    CallError, Graph,
    answer::{self, number, text},
    transport::{Form, NoResponse, Opened, Request},
};
use crate::whatsapp::digest;

/// What `GET /<media id>` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFacts {
    /// Good for five minutes.
    pub url: String,
    pub mime_type: Option<String>,
    pub sha256: Option<[u8; 32]>,
    /// In bytes.
    pub size: Option<u64>,
}

/// Why there are no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFile {
    /// The address leads to somebody who must not see the token.
    #[error("the file is said to lie at a host that is not Meta's")]
    Host,
    /// 404 and the like: an address dies after five minutes.
    #[error("status {0}")]
    Status(u16),
    #[error(transparent)]
    NoResponse(#[from] NoResponse),
}

/// A redirect is followed this often, and only to where the token may be shown.
const HOPS: usize = 3;

/// A file that Meta is to have.
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    pub mime_type: &'a str,
    /// In bytes.
    pub size: u64,
}

/// What is slower is given up.
const SLOWEST_BYTES_PER_SECOND: u64 = 32 * 1024;

impl Graph {
    /// Brings a file to Meta: `POST /<phone number id>/media`. Doing it twice harms nobody.
    /// `boundary` stands nowhere in the file; `file` is at its beginning.
    ///
    /// # Errors
    /// As any call; [`CallError::Unanswered`] also if the answer has no id.
    pub async fn upload(
        &self,
        phone_number_id: &str,
        new: NewFile<'_>,
        file: BoxStream<'static, io::Result<Bytes>>,
        boundary: &str,
    ) -> Result<String, CallError> {
        let part = |name: &str, more: &str| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
        };
        let product = part("messaging_product", "");
        let kind = part("type", "");
        let bytes = part("file", &format!("; filename=\"file\"\r\nContent-Type: {}", new.mime_type));
        let head = format!("{product}whatsapp\r\n{kind}{}\r\n{bytes}", new.mime_type);
        let tail = format!("\r\n--{boundary}--\r\n");
        let length = new.size + head.len() as u64 + tail.len() as u64;
        let answer = self.transport.upload(Form {
            url: self.url(&[phone_number_id, "media"], &[])?,
            bearer: Some(self.token.clone()),
            key_header: self.key_header.clone(),
            content_type: format!("multipart/form-data; boundary={boundary}"),
            head,
            tail,
            file,
            length,
            deadline: Duration::from_secs(30 + new.size / SLOWEST_BYTES_PER_SECOND),
        });
        let answer = answer::read(&answer.await?)?;
        text(&answer.json, "id").ok_or_else(|| CallError::Unanswered("an answer without an id".into()))
    }

    /// Asks where a file lies: `GET /<media id>`.
    ///
    /// # Errors
    /// As any call; [`CallError::Unanswered`] also if the answer has no address.
    pub async fn media(&self, id: &str, deadline: Duration) -> Result<MediaFacts, CallError> {
        let json = self.get(&[id], &[], deadline).await?.json;
        let url = text(&json, "url").ok_or_else(|| CallError::Unanswered("an answer without an address".into()))?;
        Ok(MediaFacts {
            url,
            mime_type: text(&json, "mime_type"),
            sha256: text(&json, "sha256").and_then(|text| digest::read(&text)),
            size: number(&json, "file_size").and_then(|size| size.try_into().ok()),
        })
    }

    /// Opens a file that lies at Graph's own host, or at or below one of `hosts`.
    ///
    /// # Errors
    /// See [`NoFile`]; the token was shown to nobody else, and the key of a provider to that provider alone.
    pub async fn open(&self, url: &str, hosts: &[String], deadline: Duration) -> Result<Opened, NoFile> {
        let mut url = self.asked_at(url, hosts).ok_or(NoFile::Host)?;
        for _ in 0..HOPS {
            let (bearer, key_header) = (Some(self.token.clone()), self.key_header.clone());
            let url_text = url.to_string();
            let request = Request { method: Method::GET, url: url_text, bearer, key_header, body: None, deadline };
            let opened = self.transport.open(request).await?;
            match (opened.status, &opened.location) {
                (200, _) => return Ok(opened),
                (300..400, Some(location)) => {
                    let next = url.join(location).map_err(|_| NoFile::Host)?;
                    url = self.asked_at(next.as_str(), hosts).ok_or(NoFile::Host)?;
                }
                (status, _) => return Err(NoFile::Status(status)),
            }
        }
        Err(NoFile::Host)
    }

    /// Where a file is asked for that is said to lie at `url`. A provider with a key of its own has Meta's files
    /// under Meta's paths (360dialog, "Upload, retrieve or delete media": replace the host by ours).
    fn asked_at(&self, url: &str, hosts: &[String]) -> Option<Url> {
        let url = self.trusted(url, hosts)?;
        if self.key_header.is_none() {
            return Some(url);
        }
        let mut asked = Url::parse(&self.base_url).ok()?;
        asked.set_path(url.path());
        asked.set_query(url.query());
        Some(asked)
    }

    /// Graph's own origin, or https to one of `hosts`.
    fn trusted(&self, url: &str, hosts: &[String]) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let own = Url::parse(&self.base_url).is_ok_and(|base| base.origin() == url.origin());
        let host = url.host_str()?.to_ascii_lowercase();
        let is_below = |known: &String| {
            host.strip_suffix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let metas = url.scheme() == "https" && url.port_or_known_default() == Some(443) && hosts.iter().any(is_below);
        let plain = url.username().is_empty() && url.password().is_none();
        (plain && (own || metas)).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        config::Secret,
        whatsapp::graph::{Pending, Transport},
    };

    struct Nowhere;

    impl Transport for Nowhere {
        fn send(&self, _: Request) -> Pending<'_> {
            Box::pin(async { Err(NoResponse::Unsent("nowhere".into())) })
        }
    }

    #[test]
    fn a_providers_key_is_shown_to_the_provider_only() {
        let graph = Graph::new(Arc::new(Nowhere), "https://waba-v2.360dialog.io", Secret::new("t"));
        let graph = Graph { key_header: Some(::http::HeaderName::from_static("d360-api-key")), ..graph };
        let asked = |url: &str| graph.asked_at(url, &["fbsbx.com".to_owned()]).map(String::from);
        let path = "/whatsapp_business/attachments/?mid=1&ext=2&hash=A%2Fb";
        let own = format!("https://waba-v2.360dialog.io{path}");
        assert_eq!(asked(&format!("https://lookaside.fbsbx.com{path}")).as_ref(), Some(&own));
        assert_eq!(asked(&own).as_ref(), Some(&own));
        assert_eq!(asked("https://evil.example/x"), None);
    }

    #[test]
    fn the_token_is_shown_to_metas_hosts_only() {
        let graph = Graph::new(Arc::new(Nowhere), "http://127.0.0.1:4000/v26.0", Secret::new("t"));
        let hosts = ["fbsbx.com".to_owned()];
        let may = |url: &str| graph.trusted(url, &hosts).is_some();
        for fine in [
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
            "https://FBSBX.com/x",
            "http://127.0.0.1:4000/media/1",
        ] {
            assert!(may(fine), "{fine}");
        }
        for wrong in [
            "http://lookaside.fbsbx.com/x",
            "https://fbsbx.com.evil.example/x",
            "https://evilfbsbx.com/x",
            "https://fbsbx.com:8443/x",
            "https://fbsbx.com@evil.example/x",
            "https://user:word@fbsbx.com/x",
            "http://127.0.0.1:4001/media/1",
            "https://127.0.0.1:4000/media/1",
            "file:///etc/passwd",
            "/media/1",
            "",
        ] {
            assert!(!may(wrong), "{wrong}");
        }
    }
}
