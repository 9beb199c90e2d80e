//! Where a run keeps its store and its log: a temporary folder, or one that was named.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use baton_server::store::scratch::Scratch;
use baton_shared::Ids;
use tempfile::TempDir;

use super::{DemoError, Options};

#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    temporary: Option<TempDir>,
    scratch: Option<Scratch>,
    database_url: String,
}

impl Place {
    pub async fn make(options: &Options) -> Result<Self, DemoError> {
        let temporary = match options.keep {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("baton-demo-").tempdir().map_err(|why| failed("", why))?),
        };
        let named = options.keep.as_deref().or(temporary.as_ref().map(TempDir::path));
        let folder = named.unwrap_or(Path::new("")).to_path_buf();
        std::fs::create_dir_all(&folder).map_err(|why| failed(&folder, why))?;
        let file = folder.join("baton.db");
        if file.exists() {
            return Err(DemoError::Taken(folder));
        }
        let scratch = match &options.postgres {
            Some(url) => Some(Scratch::create(url, &name(options.seed)).await.map_err(DemoError::Postgres)?),
            None => None,
        };
        let database_url = scratch.as_ref().map_or_else(|| format!("sqlite://{}", file.display()), Scratch::url);
        Ok(Self { folder, temporary, scratch, database_url })
    }

    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    pub fn engine(&self) -> &'static str {
        if self.scratch.is_some() { "postgres" } else { "sqlite" }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server's log goes here: the screen belongs to the inbox.
    pub fn log(&self) -> Result<File, DemoError> {
        let path = self.folder.join("baton.log");
        File::create(&path).map_err(|why| failed(&path, why))
    }

    /// Takes away what is not to be kept; returns where the log is and where the store is otherwise.
    pub async fn leave(self, keep: bool) -> Option<(PathBuf, String)> {
        let keep = keep || self.temporary.is_none();
        if let Some(scratch) = self.scratch.filter(|_| !keep)
            && let Err(error) = scratch.drop_it().await
        {
            tracing::warn!(%error, "the run's database is left behind");
        }
        let folder = self.temporary.filter(|_| keep).map_or(self.folder, TempDir::keep);
        keep.then_some((folder, self.database_url))
    }
}

fn failed(path: impl AsRef<Path>, why: std::io::Error) -> DemoError {
    let path = path.as_ref();
    let path = if path.as_os_str().is_empty() { std::env::temp_dir() } else { path.to_path_buf() };
    DemoError::Folder { path, why }
}

/// Of the run's own: two runs with one seed may go on side by side.
fn name(seed: u64) -> String {
    format!("baton_demo_{seed}_{:08x}", Ids::system().below(1 << 32))
}
