//! The index of this process, which follows the store: what another server or a command has changed is known here
//! within a second.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use baton_shared::DocumentId;
use tokio::{sync::Mutex, task::spawn_blocking};
use tokio_util::sync::CancellationToken;

use super::{
    Embedder,
    index::{self, Asked, Hit, Index},
    vectors,
};
use crate::{
    config::Language,
    store::{
        Db, StoreError,
        knowledge::{self, Document},
    },
};

const POLL: Duration = Duration::from_secs(1);
/// Characters of a question that are looked for; nobody asks in more.
const QUESTION: usize = 2_000;

/// Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Library(Arc<Inner>);

struct Inner {
    index: RwLock<Index>,
    followed: Mutex<Followed>,
    embedder: Option<Embedder>,
}

/// How far the index has followed the store.
#[derive(Default)]
struct Followed {
    version: i64,
    documents: HashMap<DocumentId, i64>,
}

impl Library {
    /// Empty until it is [refreshed](Self::refresh). With an embedder, questions are also found by what they mean.
    pub fn new(embedder: Option<Embedder>) -> Self {
        let inner = Inner { index: RwLock::default(), followed: Mutex::default(), embedder };
        Self(Arc::new(inner))
    }

    /// Whether there is anything to be found.
    pub fn is_empty(&self) -> bool {
        self.0.index.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes over what has changed in the store; whether anything has.
    ///
    /// # Errors
    /// If the store fails; then the index is as far as it came, and the rest follows the next time.
    pub async fn refresh(&self, db: &Db) -> Result<bool, StoreError> {
        let mut followed = self.0.followed.lock().await;
        let mut reader = db.snapshot().await?;
        let version = knowledge::version(reader.conn()).await?;
        if version == followed.version {
            return Ok(false);
        }
        let documents: Vec<Document> =
            knowledge::every(reader.conn()).await?.into_iter().filter(|one| one.chunks > 0).collect();
        let present: HashSet<DocumentId> = documents.iter().map(|one| one.id).collect();
        let gone: Vec<DocumentId> = followed.documents.keys().filter(|id| !present.contains(id)).copied().collect();
        for id in gone {
            self.change(move |index| index.remove(id)).await;
            followed.documents.remove(&id);
        }
        for document in documents {
            if followed.documents.get(&document.id) != Some(&document.version) {
                let chunks = knowledge::chunks(reader.conn(), &document).await?;
                followed.documents.insert(document.id, document.version);
                self.change(move |index| put(index, document, chunks)).await;
            }
        }
        followed.version = version;
        Ok(true)
    }

    /// Off the threads on which everybody else waits.
    async fn change(&self, change: impl FnOnce(&mut Index) + Send + 'static) {
        let library = self.0.clone();
        let changed =
            spawn_blocking(move || change(&mut library.index.write().unwrap_or_else(PoisonError::into_inner)));
        if let Err(error) = changed.await {
            tracing::error!(%error, "the index of the knowledge could not be changed");
        }
    }

    /// Up to `most` chunks about `question` for a customer of `channel`, the best first, also those that are below
    /// the floor.
    pub async fn find(&self, question: &str, channel: &str, most: usize) -> Vec<Hit> {
        let question: String = question.chars().take(QUESTION).collect();
        if self.is_empty() || question.trim().is_empty() {
            return Vec::new();
        }
        let vector = self.vector(&question).await;
        let (library, channel) = (self.0.clone(), channel.to_owned());
        let found = spawn_blocking(move || {
            let likeness = library.embedder.as_ref().map_or(1.0, Embedder::likeness);
            let asked = Asked { text: &question, channel: &channel, vector: vector.as_deref(), likeness };
            library.index.read().unwrap_or_else(PoisonError::into_inner).find(asked, most)
        });
        found.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the knowledge could not be searched");
            Vec::new()
        })
    }

    /// An embedder that fails costs what vectors find, never the answer.
    async fn vector(&self, question: &str) -> Option<Box<[f32]>> {
        let embedder = self.0.embedder.as_ref()?;
        match embedder.embed(&[question]).await {
            Ok(mut vectors) => vectors.pop(),
            Err(why) => {
                tracing::warn!(why, "found by words alone");
                None
            }
        }
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Library")
    }
}

fn put(index: &mut Index, document: Document, chunks: Vec<knowledge::Chunk>) {
    let language = document.language.parse().unwrap_or(Language::ENGLISH);
    let chunks = chunks.into_iter().map(|one| index::Chunk {
        place: one.place,
        heading: one.heading,
        body: one.body,
        vector: one.vector.as_deref().and_then(vectors::from_bytes),
    });
    let Document { id, name, channel, .. } = document;
    index.put(index::Document { id, name, channel, language }, chunks.collect());
}

/// Follows the store until `stop`.
pub async fn run(db: Db, library: Library, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => (),
        }
        if let Err(error) = library.refresh(&db).await {
            tracing::warn!(%error, "the bot's knowledge is as old as it was");
        }
    }
}
