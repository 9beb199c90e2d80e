//! Fetches the files of messages beside the loop.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use baton_shared::{Clock, ConversationId, MessageId, UploadId, file::FileKind};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::{Options, paths};
use crate::{
    event::{FileAsk, FileNews},
    net::{self, Address, FileError},
    picture::Picture,
};

/// The screen is told of so many bytes at a time.
const TOLD_EVERY: u64 = 64 * 1024;

/// Doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// As long as a command waits for its server.
const GIVE_UP: Duration = Duration::from_secs(600);

pub(super) struct Porter {
    address: Address,
    token: String,
    /// Whether there is a screen beside the terminal on which something can be opened.
    has_screen: bool,
    /// What `~` stands for.
    home: PathBuf,
    clock: Arc<dyn Clock>,
    news: mpsc::UnboundedSender<FileNews>,
    /// Files on their way to the server.
    going: HashMap<UploadId, AbortHandle>,
    /// Cut off when the inbox is left.
    tasks: JoinSet<()>,
}

impl Porter {
    pub(super) fn new(options: &Options, news: mpsc::UnboundedSender<FileNews>) -> Self {
        let has_screen = options.environment.has_screen && !options.environment.over_ssh;
        let (address, token) = (options.address.clone(), options.token.clone());
        let (going, tasks) = (HashMap::new(), JoinSet::new());
        let (home, clock) = (options.home.clone(), options.clock.clone());
        Self { address, token, has_screen, home, clock, news, going, tasks }
    }

    /// What becomes of it is told later.
    pub(super) fn carry(&mut self, ask: FileAsk) {
        let (address, token, has_screen, news) =
            (self.address.clone(), self.token.clone(), self.has_screen, self.news.clone());
        let (home, clock) = (self.home.clone(), self.clock.clone());
        while self.tasks.try_join_next().is_some() {}
        self.going.retain(|_, task| !task.is_finished());
        let id = match &ask {
            FileAsk::Bring { id, .. } => Some(*id),
            FileAsk::Stop { id } => {
                if let Some(task) = self.going.remove(id) {
                    task.abort();
                }
                return;
            }
            FileAsk::Preview { .. }
            | FileAsk::Open { .. }
            | FileAsk::Save { .. }
            | FileAsk::Complete { .. }
            | FileAsk::Look { .. } => None,
        };
        let task = self.tasks.spawn(async move {
            let told = match ask {
                FileAsk::Preview { message } => {
                    let picture = preview(&address, &token, message).await.map_err(|error| error.to_string());
                    FileNews::Previewed { message, picture }
                }
                FileAsk::Open { message } => open(&address, &token, message, has_screen).await,
                FileAsk::Save { message, path, replace } => {
                    match net::save(&address, &token, message, &path, replace).await {
                        Ok(size) => FileNews::Saved { path, size },
                        Err(FileError::Exists) => FileNews::Exists { message, path },
                        Err(error) => FileNews::Failed(format!("not saved: {error}")),
                    }
                }
                FileAsk::Complete { conversation, typed } => {
                    let (text, choices) = paths::complete(&typed, &home);
                    FileNews::Completed { conversation, typed, text, choices }
                }
                FileAsk::Look { conversation, typed } => {
                    FileNews::Looked { conversation, found: paths::look(&typed, &home) }
                }
                FileAsk::Bring { id, conversation, path, kind } => {
                    let line = Line { address, token, clock, news: news.clone() };
                    line.bring(id, conversation, &path, kind).await
                }
                FileAsk::Stop { .. } => return,
            };
            // The receiver lives as long as the loop.
            let _closed = news.send(told);
        });
        self.going.extend(id.map(|id| (id, task)));
    }
}

/// The way of one file to the server, over as many connections as it takes.
struct Line {
    address: Address,
    token: String,
    clock: Arc<dyn Clock>,
    news: mpsc::UnboundedSender<FileNews>,
}

impl Line {
    async fn bring(&self, id: UploadId, conversation: ConversationId, path: &Path, kind: FileKind) -> FileNews {
        let began = self.clock.monotonic();
        let mut pause = FIRST_PAUSE;
        loop {
            let (news, told) = (self.news.clone(), AtomicU64::new(0));
            let moved = move |sent: u64| {
                if sent.saturating_sub(told.load(Ordering::Relaxed)) >= TOLD_EVERY {
                    told.store(sent, Ordering::Relaxed);
                    // The receiver lives as long as the loop.
                    let _closed = news.send(FileNews::Moved { id, sent, waits: false });
                }
            };
            match net::bring(&self.address, &self.token, conversation, id, path, kind, moved).await {
                Ok(uploaded) => return FileNews::Brought(uploaded),
                Err(FileError::Unreachable) if self.clock.monotonic().saturating_sub(began) < GIVE_UP => {
                    let _closed = self.news.send(FileNews::Moved { id, sent: 0, waits: true });
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return FileNews::NotBrought { id, why: error.to_string() },
            }
        }
    }
}

async fn preview(address: &Address, token: &str, message: MessageId) -> Result<Arc<Picture>, FileError> {
    let png = net::thumbnail(address, token, message).await?;
    Picture::read(&png).map(Arc::new).ok_or(FileError::Unexpected)
}

/// By the platform's own opener; where there is none, the address is all that can be given.
async fn open(address: &Address, token: &str, message: MessageId, has_screen: bool) -> FileNews {
    match net::link(address, token, message).await {
        Ok(url) if !has_screen || open::that_detached(&url).is_err() => FileNews::Link(url),
        Ok(_) => FileNews::Opened,
        Err(error) => FileNews::Failed(format!("not opened: {error}")),
    }
}
