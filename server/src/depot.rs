//! The media store: where the bytes of files lie. A folder, in which each file has an id of ours for
//! its name; what its sender called it never becomes a path.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};
use uuid::Uuid;

/// Cheap to clone; all clones are one. Several servers must see the same folder.
#[derive(Clone, Debug)]
pub struct Depot {
    folder: Arc<Path>,
}

/// A file that is coming in. Dropped before it is [kept](Self::keep), it is taken away.
#[derive(Debug)]
pub struct Incoming {
    file: File,
    coming: PathBuf,
    kept: PathBuf,
    place: String,
    is_kept: bool,
}

impl Depot {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// Begins to take in a file under an id of ours; `attempt` tells tries apart that know nothing of each other.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub async fn receive(&self, id: Uuid, attempt: i64) -> io::Result<Incoming> {
        let place = place(id);
        let kept = self.folder.join(&place);
        let coming = kept.with_extension(format!("{attempt}.part"));
        if let Some(folder) = kept.parent() {
            fs::create_dir_all(folder).await?;
        }
        // Left behind by one that died with its server.
        let _ = fs::remove_file(kept.with_extension(format!("{}.part", attempt - 1))).await;
        let file = File::create(&coming).await?;
        Ok(Incoming { file, coming, kept, place, is_kept: false })
    }

    /// A file that was kept, by its place.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn open(&self, place: &str) -> io::Result<File> {
        File::open(self.folder.join(place)).await
    }

    /// Takes away a file that nothing names any more; one that is not there is no error.
    ///
    /// # Errors
    /// If it cannot be taken away.
    pub async fn remove(&self, place: &str) -> io::Result<()> {
        match fs::remove_file(self.folder.join(place)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Incoming {
    /// # Errors
    /// If it cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// It is whole: from now on it is there, also after a power cut. Its place.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep(mut self) -> io::Result<String> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        fs::rename(&self.coming, &self.kept).await?;
        self.is_kept = true;
        if let Some(folder) = self.kept.parent() {
            File::open(folder).await?.sync_all().await?;
        }
        Ok(std::mem::take(&mut self.place))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(&self.coming);
        }
    }
}

/// In one of 256 folders: the end of an id is chance, its beginning the time.
fn place(id: Uuid) -> String {
    let id = id.simple().to_string();
    format!("{}/{id}", id.get(30..).unwrap_or_default())
}
