//! What a request says in its body: JSON, or a form as older clients write it.

use serde_json::{Map, Value as Json};

use super::{GraphError, route::decode};

/// The body's parameters; those of a form are all strings.
pub(super) fn parameters(body: &[u8]) -> Result<Json, GraphError> {
    let text = std::str::from_utf8(body).map_err(|_| GraphError::invalid("The body is not UTF-8."))?.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|_| GraphError::invalid("The body is not valid JSON."));
    }
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    Ok(Json::Object(pairs.map(|(key, value)| (decode(key), decode(value).into())).collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_says_the_same_as_json() {
        let wanted = json!({"pin": "123456", "about": "Hey there! a&b"});
        assert_eq!(parameters(br#" {"pin": "123456", "about": "Hey there! a&b"}"#).unwrap(), wanted);
        assert_eq!(parameters(b"pin=123456&about=Hey+there%21+a%26b").unwrap(), wanted);
        assert_eq!(parameters(b"").unwrap(), json!({}));
        assert!(parameters(b"{").is_err() && parameters(b"\xff").is_err());
    }
}
