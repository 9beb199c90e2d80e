//! Pictures in prompts of either format.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value as Json;

use crate::recording;

/// What the newest picture of the prompt shows; `None` if there is none in it.
pub(super) fn seen(body: &Json) -> Option<String> {
    let mut blocks =
        body["messages"].as_array()?.iter().rev().filter_map(|message| message["content"].as_array()).flatten();
    let picture = blocks.find_map(bytes)?;
    Some(
        recording::told(&picture).unwrap_or_else(|| "A picture that is not sharp enough to tell what it shows.".into()),
    )
}

fn bytes(block: &Json) -> Option<Vec<u8>> {
    let url = block["image_url"]["url"].as_str().and_then(|url| url.split_once(";base64,")).map(|(_, data)| data);
    STANDARD.decode(url.or_else(|| block["source"]["data"].as_str())?).ok()
}
