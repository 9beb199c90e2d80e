//! Takes documents in, and reads them again when they have changed.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use baton_shared::{Clock, Ids, Micros};
use sha2::{Digest, Sha256};
use tokio::{fs, io::AsyncReadExt};

use super::{
    Embedder, chunk,
    chunk::Piece,
    documents::{Block, Kind, LARGEST, Reader, Unreadable},
    embedder, vectors,
    web::{NoPage, Web, web_address},
};
use crate::{
    config::Language,
    store::{
        Db, StoreError, Urgency,
        knowledge::{self, Chunk, Document, State},
    },
};

/// Chunks of one transaction: some milliseconds of work.
const SLICE: usize = 100;
/// The clocks of a file's folder and ours differ, and its time may be cut to seconds.
const SLACK: Duration = Duration::from_secs(3);
/// What is read of a document to tell its language.
const SAMPLE: usize = 4_000;

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// With an absolute path.
    File(PathBuf),
    /// With an http or https address.
    Page(String),
}

/// Why something is no source.
#[derive(Debug, thiserror::Error)]
pub enum WrongSource {
    #[error(transparent)]
    Address(#[from] NoPage),
    #[error("{path}: {why}", path = .0.display(), why = .1)]
    Path(PathBuf, io::Error),
}

impl Source {
    /// An address if it looks like one, else the path of something that is there.
    ///
    /// # Errors
    /// See [`WrongSource`].
    pub fn parse(text: &str) -> Result<Self, WrongSource> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Page(web_address(text)?.into()));
        }
        let path = Path::new(text);
        let whole = path.canonicalize().map_err(|why| WrongSource::Path(path.to_owned(), why))?;
        Ok(Self::File(whole))
    }

    /// As the store keeps it.
    pub fn text(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Page(address) => address.clone(),
        }
    }

    /// As it was stored.
    fn of(text: &str) -> Self {
        match text {
            page if page.starts_with("http://") || page.starts_with("https://") => Self::Page(page.into()),
            path => Self::File(path.into()),
        }
    }
}

/// A document that somebody adds.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub source: Source,
    /// As it is shown.
    pub name: String,
    /// `None`: as its text sounds.
    pub language: Option<Language>,
    pub channel: Option<String>,
}

/// What came of a look at a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is as it was read before.
    Same,
    Read {
        chunks: usize,
    },
    /// Why it cannot be read; what was read before is still used.
    Failed(String),
    /// Somebody else was quicker.
    Overtaken,
}

/// Takes documents in.
#[derive(Clone, Debug)]
pub struct Librarian {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    reader: Reader,
    web: Web,
    tongue: Tongue,
}

/// How the language of a text is told.
#[derive(Clone, Copy, Debug)]
pub struct Tongue {
    pub guess: fn(&str) -> Option<Language>,
    /// Of a text that does not say.
    pub otherwise: Language,
}

/// The bytes of a document, and what is known of them.
struct Found {
    bytes: Arc<[u8]>,
    kind: Kind,
    etag: Option<String>,
    charset: Option<String>,
}

impl Librarian {
    pub const fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<Ids>, reader: Reader, web: Web, tongue: Tongue) -> Self {
        Self { db, clock, ids, reader, web, tongue }
    }

    /// Adds a document, or reads again one that is there; what is wanted of it is kept.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn add(&self, wanted: &Wanted) -> Result<Became, StoreError> {
        let source = wanted.source.text();
        let known = knowledge::by_source(self.db.reader().await?.conn(), &source).await?;
        let before = match known {
            Some(known) => known,
            None => self.insert(&source, wanted).await?,
        };
        let language = wanted.language.map_or_else(|| before.language.clone(), |one| one.code().to_owned());
        let channel = wanted.channel.clone().unwrap_or_else(|| before.channel.clone());
        let after = Document { name: wanted.name.clone(), language, channel, ..before.clone() };
        self.look(before, after).await
    }

    async fn insert(&self, source: &str, wanted: &Wanted) -> Result<Document, StoreError> {
        let now = self.clock.now();
        let new = Document {
            id: self.ids.next(now),
            source: source.into(),
            name: wanted.name.clone(),
            kind: None,
            language: String::new(),
            channel: wanted.channel.clone().unwrap_or_default(),
            digest: None,
            etag: None,
            state: State::New,
            problem: None,
            reading: 0,
            chunks: 0,
            version: 0,
            read_at: None,
            looked_at: now,
            created_at: now,
        };
        let job = self.db.write(Urgency::Last, {
            let new = new.clone();
            move |tx| {
                let new = new.clone();
                Box::pin(async move {
                    knowledge::insert(tx, &new).await?;
                    // Somebody may have been quicker.
                    knowledge::by_source(tx.conn(), &new.source).await
                })
            }
        });
        Ok(job.await?.unwrap_or(new))
    }

    /// Looks whether a document has changed, and reads it again if so.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn refresh(&self, document: &Document) -> Result<Became, StoreError> {
        self.look(document.clone(), document.clone()).await
    }

    /// Whether it is time to look at a document again: a page after `every`, a file that was written since. What is
    /// not on this machine is not missed here.
    pub async fn is_due(&self, document: &Document, every: Duration) -> bool {
        match Source::of(&document.source) {
            Source::Page(_) => self.clock.now().since(document.looked_at) >= every,
            Source::File(path) => {
                let written = fs::metadata(path).await.and_then(|about| about.modified());
                let written = written.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
                let written = written.and_then(|since| i64::try_from(since.as_micros()).ok()).map(Micros);
                written.is_some_and(|written| written > document.looked_at.minus(SLACK))
            }
        }
    }

    /// `after` is `before` with what is wanted of it.
    async fn look(&self, before: Document, mut after: Document) -> Result<Became, StoreError> {
        let now = self.clock.now();
        after.looked_at = now;
        let other = after.language != before.language && !after.language.is_empty() || after.state != State::Ready;
        let etag = before.etag.as_deref().filter(|_| !other);
        let found = match self.find(&before, etag).await {
            Ok(Some(found)) => found,
            Ok(None) => return self.keep(&before, after).await,
            Err(why) => return self.fail(&before, after, why).await,
        };
        let digest = hex::encode(Sha256::digest(&found.bytes));
        if Some(&digest) == before.digest.as_ref() && !other {
            after.etag = found.etag;
            return self.keep(&before, after).await;
        }
        let (kind, etag) = (found.kind, found.etag.clone());
        let (pieces, sample) = match self.read(found).await {
            Ok(read) => read,
            Err(why) => return self.fail(&before, after, why.to_string()).await,
        };
        if after.language.is_empty() {
            after.language = (self.tongue.guess)(&sample).unwrap_or(self.tongue.otherwise).code().to_owned();
        }
        after.kind = Some(kind.word().to_owned());
        after.digest = Some(digest);
        after.etag = etag;
        after.read_at = Some(now);
        self.store(&before, after, pieces).await
    }

    /// `None`: the web server says that it is as it was.
    async fn find(&self, document: &Document, etag: Option<&str>) -> Result<Option<Found>, String> {
        let by_name = || Kind::of_name(document.source.split(['?', '#']).next().unwrap_or_default());
        match Source::of(&document.source) {
            Source::File(path) => {
                let kind = by_name().ok_or_else(|| unknown_kind(""))?;
                let bytes = read_file(&path).await?;
                Ok(Some(Found { bytes, kind, etag: None, charset: None }))
            }
            Source::Page(address) => {
                let Some(page) = self.web.get(&address, etag).await.map_err(|why| why.to_string())? else {
                    return Ok(None);
                };
                let mime = page.mime.unwrap_or_default();
                // Plain text is what servers say of whatever they do not know.
                let kind = match Kind::of_mime(&mime) {
                    Some(Kind::Text) | None => by_name().or_else(|| Kind::of_mime(&mime)),
                    known => known,
                };
                let kind = kind.ok_or_else(|| unknown_kind(&mime))?;
                let charset = mime.to_ascii_lowercase().split_once("charset=").map(|(_, name)| name.trim().to_owned());
                Ok(Some(Found { bytes: page.bytes, kind, etag: page.etag, charset }))
            }
        }
    }

    /// Its pieces, and as much of its text as tells its language.
    async fn read(&self, found: Found) -> Result<(Vec<Piece>, String), Unreadable> {
        let blocks = self.reader.read(found.kind, found.bytes, found.charset).await?;
        let cut = tokio::task::spawn_blocking(move || (chunk::chunks(&blocks), sample(&blocks)));
        let (pieces, sample) = cut.await.map_err(|_| Unreadable::Broken(found.kind, "it cannot be cut".into()))?;
        if pieces.is_empty() { Err(Unreadable::Empty) } else { Ok((pieces, sample)) }
    }

    async fn keep(&self, before: &Document, after: Document) -> Result<Became, StoreError> {
        let changed = (&after.name, &after.channel) != (&before.name, &before.channel);
        self.save(before.reading, after, changed)
            .await
            .map(|saved| if saved { Became::Same } else { Became::Overtaken })
    }

    async fn fail(&self, before: &Document, mut after: Document, why: String) -> Result<Became, StoreError> {
        after.state = if before.chunks > 0 { State::Stale } else { State::Broken };
        after.problem = Some(why.clone());
        after.digest = None;
        after.etag = None;
        self.save(before.reading, after, false).await?;
        Ok(Became::Failed(why))
    }

    /// The chunks first, in slices that nobody waits for; then, at once, they are the ones that count.
    async fn store(&self, before: &Document, mut after: Document, pieces: Vec<Piece>) -> Result<Became, StoreError> {
        let (id, count) = (before.id, pieces.len());
        let reading = self.clock.now().0.max(before.reading + 1);
        let chunk =
            |(place, piece): (i64, Piece)| Chunk { place, heading: piece.heading, body: piece.body, vector: None };
        let chunks: Vec<Chunk> = (0..).zip(pieces).map(chunk).collect();
        for slice in chunks.chunks(SLICE) {
            let slice = slice.to_vec();
            let job = self.db.write(Urgency::Last, move |tx| {
                let slice = slice.clone();
                Box::pin(async move { knowledge::insert_chunks(tx, id, reading, &slice).await })
            });
            match job.await {
                // Somebody reads it in the same microsecond.
                Err(StoreError::Duplicate) => return Ok(Became::Overtaken),
                done => done?,
            }
        }
        after.reading = reading;
        after.chunks = i64::try_from(count).unwrap_or(i64::MAX);
        after.state = State::Ready;
        after.problem = None;
        let saved = self.save(before.reading, after, true).await?;
        let current = if saved { reading } else { self.reading(&before.source).await? };
        self.db.write(Urgency::Last, move |tx| Box::pin(knowledge::forget_chunks(tx, id, current))).await?;
        Ok(if saved { Became::Read { chunks: count } } else { Became::Overtaken })
    }

    async fn reading(&self, source: &str) -> Result<i64, StoreError> {
        let document = knowledge::by_source(self.db.reader().await?.conn(), source).await?;
        Ok(document.map_or(0, |document| document.reading))
    }

    async fn save(&self, reading: i64, document: Document, changed: bool) -> Result<bool, StoreError> {
        let job = self.db.write(Urgency::Last, move |tx| {
            let document = document.clone();
            Box::pin(async move { knowledge::save(tx, &document, reading, changed).await })
        });
        job.await
    }

    /// Makes vectors of the next chunks that have none; how many. 0: all have.
    ///
    /// # Errors
    /// Why not, in one line.
    pub async fn embed(&self, by: &Embedder) -> Result<usize, String> {
        let name = by.name();
        let most = i64::try_from(embedder::AT_ONCE).unwrap_or(1);
        let mut reader = self.db.reader().await.map_err(|why| why.to_string())?;
        let next = knowledge::unembedded(reader.conn(), &name, most).await.map_err(|why| why.to_string())?;
        drop(reader);
        if next.is_empty() {
            return Ok(0);
        }
        let texts: Vec<String> = next.iter().map(|one| format!("{}\n{}", one.heading, one.body)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vectors = by.embed(&texts).await?;
        let made: Vec<_> = next.into_iter().zip(vectors.iter().map(|vector| vectors::to_bytes(vector))).collect();
        let count = made.len();
        let job = self.db.write(Urgency::Last, move |tx| {
            let (name, made) = (name.clone(), made.clone());
            Box::pin(async move { knowledge::embed(tx, &name, &made).await })
        });
        job.await.map_err(|why| why.to_string())?;
        Ok(count)
    }
}

fn unknown_kind(mime: &str) -> String {
    let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::word).collect();
    let found = if mime.is_empty() { "another ending".to_owned() } else { format!("{mime:?}") };
    format!("found {found}, expected one of {}", kinds.join(", "))
}

async fn read_file(path: &Path) -> Result<Arc<[u8]>, String> {
    let cannot = |why: io::Error| format!("it cannot be opened: {why}");
    let file = fs::File::open(path).await.map_err(cannot)?;
    if !file.metadata().await.map_err(cannot)?.is_file() {
        return Err("it is no file".into());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).await.map_err(cannot)?;
    Ok(bytes.into())
}

fn sample(blocks: &[Block]) -> String {
    let texts = blocks.iter().map(|block| match block {
        Block::Heading { text, .. } | Block::Text(text) => text.as_str(),
    });
    let mut sample = String::new();
    for text in texts {
        sample.push_str(text);
        sample.push('\n');
        if sample.len() > SAMPLE {
            break;
        }
    }
    sample
}
