//! The media store: where the bytes of files lie, in a folder or a bucket, each under an id of ours;
//! what its sender called it never becomes a path.

mod bucket;
mod folder;

use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::config::Shelf;
use bucket::Bucket;
use folder::Folder;

/// Read and sent in pieces of this.
const PIECE: usize = 64 * 1024;

/// A file, from its beginning.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// Cheap to clone; all clones are one. Several servers must see the same files.
#[derive(Clone, Debug)]
pub struct Depot(Arc<Kind>);

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
        Ok(Self(Arc::new(kind)))
    }

    /// Begins to take in a file under an id of ours; `attempt` tells tries apart that know nothing of each other.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn receive(&self, id: Uuid, attempt: i64) -> io::Result<Incoming> {
        let place = place(id);
        let writing = match &*self.0 {
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
        Ok(match &*self.0 {
            Kind::Folder(folder) => ReaderStream::with_capacity(folder.open(place).await?, PIECE).boxed(),
            Kind::Bucket(bucket) => bucket.open(place).await?.boxed(),
        })
    }

    /// Takes away a file that nothing names any more; one that is not there is no error.
    ///
    /// # Errors
    /// If it cannot be taken away.
    pub async fn remove(&self, place: &str) -> io::Result<()> {
        let removed = match &*self.0 {
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
