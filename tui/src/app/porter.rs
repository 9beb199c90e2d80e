//! Fetches the files of messages beside the loop.

use baton_shared::MessageId;
use tokio::{sync::mpsc, task::JoinSet};

use super::Options;
use crate::{
    event::{FileAsk, FileNews},
    net::{self, Address, FileError},
};

pub(super) struct Porter {
    address: Address,
    token: String,
    /// Whether there is a screen beside the terminal on which something can be opened.
    has_screen: bool,
    news: mpsc::UnboundedSender<FileNews>,
    /// Cut off when the inbox is left.
    tasks: JoinSet<()>,
}

impl Porter {
    pub(super) fn new(options: &Options, news: mpsc::UnboundedSender<FileNews>) -> Self {
        let has_screen = options.environment.has_screen && !options.environment.over_ssh;
        let (address, token) = (options.address.clone(), options.token.clone());
        Self { address, token, has_screen, news, tasks: JoinSet::new() }
    }

    /// What becomes of it is told later.
    pub(super) fn carry(&mut self, ask: FileAsk) {
        let (address, token, has_screen, news) =
            (self.address.clone(), self.token.clone(), self.has_screen, self.news.clone());
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            let told = match ask {
                FileAsk::Open { message } => open(&address, &token, message, has_screen).await,
                FileAsk::Save { message, path, replace } => {
                    match net::save(&address, &token, message, &path, replace).await {
                        Ok(size) => FileNews::Saved { path, size },
                        Err(FileError::Exists) => FileNews::Exists { message, path },
                        Err(error) => FileNews::Failed(format!("not saved: {error}")),
                    }
                }
            };
            // The receiver lives as long as the loop.
            let _closed = news.send(told);
        });
    }
}

/// By the platform's own opener; where there is none, the address is all that can be given.
async fn open(address: &Address, token: &str, message: MessageId, has_screen: bool) -> FileNews {
    match net::link(address, token, message).await {
        Ok(url) if !has_screen || open::that_detached(&url).is_err() => FileNews::Link(url),
        Ok(_) => FileNews::Opened,
        Err(error) => FileNews::Failed(format!("not opened: {error}")),
    }
}
