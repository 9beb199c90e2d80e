//! The media store: where the bytes of files lie, in a folder or a bucket, each under an id of ours;
//! what its sender called it never becomes a path.

mod bucket;
mod folder;
mod thumbnail;

use std::{fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::config::Shelf;
use bucket::Bucket;
use folder::Folder;

/// Read and sent in pieces of this.
const PIECE: usize = 64 * 1024;

/// No file waits longer for its thumbnail.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file, from its beginning.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// Cheap to clone; all clones are one. Several servers must see the same files.
#[derive(Clone, Debug)]
pub struct Depot {
    shelf: Arc<Kind>,
    /// Pictures are made small one at a time: that bounds what they take of memory.
    hand: Arc<Semaphore>,
}

#[derive(Debug)]
enum Kind {
    Folder(Folder),
    Bucket(Bucket),
}

/// A file that is coming in. Dropped before it is [kept](Self::keep), it is none.
#[derive(Debug)]
pub struct Incoming {
    place: String,
    writing: Writing,
}

enum Writing {
    Folder(folder::Incoming),
    Bucket(Box<bucket::Incoming>),
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writing")
    }
}

impl Depot {
    /// Nothing is written or asked yet.
    ///
    /// # Errors
    /// If what is said of a bucket makes none.
    pub fn new(shelf: &Shelf) -> io::Result<Self> {
        let kind = match shelf {
            Shelf::Folder(folder) => Kind::Folder(Folder::new(folder.clone())),
            Shelf::Bucket(bucket) => Kind::Bucket(Bucket::new(bucket)?),
        };
        Ok(Self { shelf: Arc::new(kind), hand: Arc::new(Semaphore::new(1)) })
    }

    /// Begins to take in a file under an id of ours; `attempt` tells tries apart that know nothing of each other.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn receive(&self, id: Uuid, attempt: i64) -> io::Result<Incoming> {
        self.begin(place(id), attempt).await
    }

    async fn begin(&self, place: String, attempt: i64) -> io::Result<Incoming> {
        let writing = match &*self.shelf {
            Kind::Folder(folder) => Writing::Folder(folder.receive(&place, attempt).await?),
            Kind::Bucket(bucket) => Writing::Bucket(Box::new(bucket.receive(&place))),
        };
        Ok(Incoming { place, writing })
    }

    /// A file that was kept, by its place.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn open(&self, place: &str) -> io::Result<Pieces> {
        Ok(match &*self.shelf {
            Kind::Folder(folder) => ReaderStream::with_capacity(folder.open(place).await?, PIECE).boxed(),
            Kind::Bucket(bucket) => bucket.open(place).await?.boxed(),
        })
    }

    /// Puts a small picture beside a file that was kept. Whether there is one: what cannot be decoded,
    /// or takes too much for that, has none.
    pub async fn add_thumbnail(&self, place: &str) -> bool {
        match timeout(PATIENCE, self.make_thumbnail(place)).await {
            Ok(Ok(is_made)) => is_made,
            // It is one of many, or made to take for ever.
            Err(_) => false,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a picture has no thumbnail: the media store failed");
                false
            }
        }
    }

    async fn make_thumbnail(&self, place: &str) -> io::Result<bool> {
        // Goes into the other thread: dropped here, it would let a second one begin beside it.
        let hand = self.hand.clone().acquire_owned().await.map_err(io::Error::other)?;
        let Some(bytes) = self.read(place).await? else { return Ok(false) };
        let made = spawn_blocking(move || {
            let _hand = hand;
            thumbnail::of(&bytes)
        });
        // Err: it panicked, which the log has.
        let Ok(Some(small)) = made.await else { return Ok(false) };
        let mut incoming = self.begin(beside(place), 0).await?;
        incoming.write(&small).await?;
        incoming.keep().await?;
        Ok(true)
    }

    /// All of a file; `None` if that is too much.
    async fn read(&self, place: &str) -> io::Result<Option<Vec<u8>>> {
        let (mut pieces, mut bytes) = (self.open(place).await?, Vec::new());
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() > thumbnail::MOST_BYTES {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    }

    /// The small picture beside the file at `place`: a PNG.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn open_thumbnail(&self, place: &str) -> io::Result<Pieces> {
        self.open(&beside(place)).await
    }

    /// Takes away a file that nothing names any more, and its thumbnail; what is not there is no error.
    ///
    /// # Errors
    /// If it cannot be taken away.
    pub async fn remove(&self, place: &str) -> io::Result<()> {
        self.take_away(&beside(place)).await?;
        self.take_away(place).await
    }

    async fn take_away(&self, place: &str) -> io::Result<()> {
        let removed = match &*self.shelf {
            Kind::Folder(folder) => folder.remove(place).await,
            Kind::Bucket(bucket) => bucket.remove(place).await,
        };
        removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
    }
}

impl Incoming {
    /// # Errors
    /// If it cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.writing {
            Writing::Folder(file) => file.write(bytes).await,
            Writing::Bucket(file) => file.write(bytes).await,
        }
    }

    /// It is whole: from now on it is there. Its place.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep(self) -> io::Result<String> {
        match self.writing {
            Writing::Folder(file) => file.keep().await?,
            Writing::Bucket(file) => file.keep().await?,
        }
        Ok(self.place)
    }
}

/// In one of 256 folders: the end of an id is chance, its beginning the time.
fn place(id: Uuid) -> String {
    let id = id.simple().to_string();
    format!("{}/{id}", id.get(30..).unwrap_or_default())
}

/// Where the thumbnail of a file lies.
fn beside(place: &str) -> String {
    format!("{place}-thumbnail")
}
