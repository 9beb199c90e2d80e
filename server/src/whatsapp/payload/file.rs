//! The file of a message: what is needed to fetch it, and to know it again.

use serde_json::Value;

use super::json;
use crate::whatsapp::digest;

/// What a webhook says of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Meta's id, good for seven days.
    pub id: Option<String>,
    pub mime_type: Option<String>,
    pub sha256: Option<[u8; 32]>,
    /// As its sender named it.
    pub name: Option<String>,
}

/// `None` for a kind that brings none.
pub(super) fn file(kind: &str, element: &Value) -> Option<File> {
    if !matches!(kind, "image" | "video" | "audio" | "document" | "sticker") {
        return None;
    }
    let content = json::get(element, kind).unwrap_or(&Value::Null);
    Some(File {
        id: json::text(content, "id"),
        mime_type: json::text(content, "mime_type"),
        sha256: json::text(content, "sha256").and_then(|text| digest::read(&text)),
        name: json::text(content, "filename"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_is_known_by_id_and_digest() {
        let image = json!({"image": {"id": 77, "mime_type": "image/png",
                           "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}});
        let file = file("image", &image).unwrap();
        assert_eq!(file.id.as_deref(), Some("77"));
        let digest = file.sha256.map(hex::encode).unwrap();
        assert_eq!(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn what_is_missing_is_missing_and_a_text_brings_no_file() {
        assert_eq!(file("document", &json!({"document": {"sha256": "short"}})), Some(File::default()));
        assert_eq!(file("document", &json!({"document": 5})), Some(File::default()));
        assert_eq!(file("text", &json!({"text": {"id": "5"}})), None);
    }
}
