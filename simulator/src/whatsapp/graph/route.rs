//! Which object and which of its edges a path names, and who may ask.

use serde_json::Value as Json;

use super::{super::Whatsapp, GraphRequest, error::GraphError, form};

/// What a request is about.
pub(super) struct Target<'a> {
    pub(super) method: &'a http::Method,
    /// The id of a number, an account or an app.
    pub(super) id: &'a str,
    /// `messages`, `phone_numbers`...
    pub(super) edge: Option<&'a str>,
    query: &'a str,
}

/// The version in a path, such as `v26.0`.
pub(super) fn version(path_and_query: &str) -> Option<&str> {
    path_and_query.trim_start_matches('/').split(['/', '?']).next().filter(|segment| is_version(segment))
}

impl<'a> Target<'a> {
    pub(super) fn parse(request: &GraphRequest<'a>) -> Result<Self, GraphError> {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((request.path_and_query, ""));
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        segments.next_if(|segment| is_version(segment));
        let (Some(id), edge) = (segments.next(), segments.next()) else {
            return Err(GraphError::unknown_path(path));
        };
        match segments.next() {
            Some(rest) => Err(GraphError::unknown_path(&format!("/{rest}"))),
            None => Ok(Self { method: request.method, id, edge, query }),
        }
    }

    /// Everything that a request says: its body, and for what is not there its query.
    pub(super) fn parameters(&self, body: &[u8]) -> Result<Json, GraphError> {
        let mut parameters = form::parameters(body)?;
        for (name, raw) in self.query.split('&').filter_map(|pair| pair.split_once('=')) {
            if let Some(known) = parameters.as_object_mut()
                && !known.contains_key(name)
            {
                known.insert(name.into(), decode(raw).into());
            }
        }
        Ok(parameters)
    }

    /// A parameter of the query, percent-decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let raw = self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
        Some(decode(raw))
    }
}

impl Whatsapp {
    /// The app's own subscriptions want an app token, everything else an access token.
    pub(super) fn authorize(&self, request: &GraphRequest<'_>, target: &Target<'_>) -> Result<(), GraphError> {
        let from_header = request.authorization.map(|value| value.trim_start_matches("Bearer ").trim().to_owned());
        // Clients that have both mean the one of the request.
        let token = target.parameter("access_token").or(from_header).filter(|token| !token.is_empty());
        let token = token.ok_or_else(GraphError::no_token)?;
        let is_app_token = self.config.apps.iter().any(|app| token == format!("{}|{}", app.id, app.secret));
        let is_access_token = self.config.tokens.contains(&token);
        match (target.edge == Some("subscriptions"), is_app_token, is_access_token) {
            (true, true, _) | (false, _, true) => Ok(()),
            (true, false, true) => Err(GraphError::app_token_needed()),
            (false, true, false) => Err(GraphError::no_object(target.method, target.id)),
            (_, false, false) => Err(GraphError::bad_token()),
        }
    }
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

pub(super) fn decode(raw: &str) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escaped = || hex::decode(tail.get(..2)?).ok()?.first().copied();
        match (first, escaped()) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_its_mistakes_are_kept() {
        assert_eq!(decode("a%2Cb+c%7C%zz%4"), "a,b c|%zz%4");
    }

    #[test]
    fn a_version_may_be_absent() {
        assert_eq!(version("/v26.0/123/messages"), Some("v26.0"));
        assert_eq!(version("/123/messages?fields=v1"), None);
        assert_eq!(version("/value"), None);
    }
}
