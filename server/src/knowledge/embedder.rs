//! The model that makes vectors of texts, in the two formats that servers speak.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use serde_json::{Value, json};

use super::vectors::normalised;
use crate::{
    config::{self, EmbedderWire, Secret},
    provider::{Request, Transport},
};

/// Texts of one call.
pub(super) const AT_ONCE: usize = 32;

/// One model at one provider.
#[derive(Clone)]
pub struct Embedder {
    settings: config::Embedder,
    transport: Arc<dyn Transport>,
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Embedder {
    pub fn new(settings: config::Embedder, transport: Arc<dyn Transport>) -> Self {
        Self { settings, transport }
    }

    /// What tells its vectors from others.
    pub fn name(&self) -> String {
        format!("{}/{}", self.settings.provider, self.settings.name)
    }

    /// What counts as alike.
    pub const fn likeness(&self) -> f32 {
        self.settings.likeness
    }

    /// The vectors of a few texts, each of length one, in one call.
    ///
    /// # Errors
    /// Why there are none, in one line without the texts.
    pub async fn embed(&self, texts: &[&str]) -> Result<Vec<Box<[f32]>>, String> {
        let response = self.transport.send(self.request(texts)).await.map_err(|why| why.to_string())?;
        if response.status != 200 {
            return Err(format!("the embedder answered {}", response.status));
        }
        let vectors = match self.settings.wire {
            EmbedderWire::OpenAi => openai(&response.body),
            EmbedderWire::Ollama => ollama(&response.body),
        };
        let vectors = vectors.ok_or("the embedder's answer has no vectors")?;
        let vectors: Option<Vec<Box<[f32]>>> = vectors.into_iter().map(normalised).collect();
        vectors
            .filter(|vectors| vectors.len() == texts.len())
            .ok_or_else(|| "the embedder's answer has too few vectors, or empty ones".to_owned())
    }

    fn request(&self, texts: &[&str]) -> Request {
        let path = match self.settings.wire {
            EmbedderWire::OpenAi => "embeddings",
            EmbedderWire::Ollama => "api/embed",
        };
        let bearer = |key: &Secret| Secret::new(format!("Bearer {}", key.reveal()));
        Request {
            url: format!("{}/{path}", self.settings.base_url),
            headers: self.settings.api_key.iter().map(|key| ("authorization", bearer(key))).collect(),
            body: json!({"model": self.settings.name, "input": texts}).to_string(),
            deadline: self.settings.deadline,
        }
    }
}

/// `{"data": [{"index", "embedding"}]}`, in any order.
fn openai(body: &[u8]) -> Option<Vec<Vec<f32>>> {
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        index: usize,
        embedding: Vec<f32>,
    }
    let mut body: Value = serde_json::from_slice(body).ok()?;
    let mut all: Vec<One> = serde_json::from_value(body["data"].take()).ok()?;
    all.sort_by_key(|one| one.index);
    Some(all.into_iter().map(|one| one.embedding).collect())
}

/// `{"embeddings": [[...]]}`.
fn ollama(body: &[u8]) -> Option<Vec<Vec<f32>>> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    serde_json::from_value(body["embeddings"].take()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::provider::{Form, NoResponse, Pending, Response};

    struct Says(&'static str, u16);

    impl Transport for Says {
        fn send(&self, request: Request) -> Pending<'_> {
            assert!(request.body.contains("\"input\":[\"one\",\"two\"]"), "{}", request.body);
            let response = Response { status: self.1, body: self.0.as_bytes().to_vec(), ..Response::default() };
            Box::pin(async move { Ok::<_, NoResponse>(response) })
        }

        fn send_form(&self, _: Form) -> Pending<'_> {
            Box::pin(async { Err(NoResponse::TimedOut) })
        }
    }

    async fn embed(wire: EmbedderWire, says: &'static str, status: u16) -> Result<Vec<Box<[f32]>>, String> {
        let settings = config::Embedder {
            provider: "other".into(),
            wire,
            name: "small".into(),
            base_url: "http://embedder".into(),
            api_key: None,
            deadline: Duration::from_secs(1),
            likeness: 0.5,
        };
        Embedder::new(settings, Arc::new(Says(says, status))).embed(&["one", "two"]).await
    }

    #[tokio::test]
    async fn both_formats_are_read_and_nonsense_is_told() {
        let wanted: Vec<Box<[f32]>> = vec![Box::new([1.0, 0.0]), Box::new([0.0, 1.0])];
        let data = r#"{"data":[{"index":1,"embedding":[0,3]},{"index":0,"embedding":[2,0]}]}"#;
        assert_eq!(embed(EmbedderWire::OpenAi, data, 200).await.unwrap(), wanted);
        assert_eq!(embed(EmbedderWire::Ollama, r#"{"embeddings":[[2,0],[0,3]]}"#, 200).await.unwrap(), wanted);
        for (says, status) in [(data, 500), ("{}", 200), ("[", 200), (r#"{"data":[{"embedding":[0,3]}]}"#, 200)] {
            assert!(embed(EmbedderWire::OpenAi, says, status).await.is_err(), "{says}");
        }
        assert!(embed(EmbedderWire::Ollama, r#"{"embeddings":[[0,0],[0,3]]}"#, 200).await.is_err());
    }
}
