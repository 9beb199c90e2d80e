//! Files in a folder, each with an id for its name.

use std::{io, path::PathBuf};

use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// A file that is coming in. Dropped before it is [kept](Self::keep), it is taken away.
#[derive(Debug)]
pub(super) struct Incoming {
    file: File,
    coming: PathBuf,
    kept: PathBuf,
    is_kept: bool,
}

impl Folder {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// `attempt` tells tries apart that know nothing of each other.
    pub(super) async fn receive(&self, place: &str, attempt: i64) -> io::Result<Incoming> {
        let kept = self.0.join(place);
        let coming = kept.with_extension(format!("{attempt}.part"));
        if let Some(folder) = kept.parent() {
            fs::create_dir_all(folder).await?;
        }
        // Left behind by one that died with its server.
        let _ = fs::remove_file(kept.with_extension(format!("{}.part", attempt - 1))).await;
        let file = File::create(&coming).await?;
        Ok(Incoming { file, coming, kept, is_kept: false })
    }

    pub(super) async fn open(&self, place: &str) -> io::Result<File> {
        File::open(self.0.join(place)).await
    }

    pub(super) async fn remove(&self, place: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(place)).await
    }
}

impl Incoming {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// It is there, also after a power cut.
    pub(super) async fn keep(mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        fs::rename(&self.coming, &self.kept).await?;
        self.is_kept = true;
        if let Some(folder) = self.kept.parent() {
            File::open(folder).await?.sync_all().await?;
        }
        Ok(())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(&self.coming);
        }
    }
}
