//! The person's own editor on a text of theirs.

use std::{io, path::PathBuf, process::ExitStatus};

use baton_shared::{ConversationId, Ids};
use tokio::process::{Child, Command};

use crate::{
    event::Cause,
    local::{Slot, new_private_folder, write_private},
};

/// More than any message may have; a mistaken file is not read.
const BYTES_MAX: u64 = 1024 * 1024;

/// An editor that runs.
#[derive(Debug)]
pub(super) struct OwnEditor {
    conversation: ConversationId,
    slot: Slot,
    running: Option<(Child, PathBuf)>,
}

impl OwnEditor {
    /// `program` may carry arguments: `code --wait`.
    pub(super) fn start(program: &str, conversation: ConversationId, slot: Slot, text: &str) -> io::Result<Self> {
        let mut words = program.split_whitespace();
        let name = words.next().ok_or(io::ErrorKind::NotFound)?;
        // Where others may write, nobody may have been here before.
        let folder = std::env::temp_dir().join(format!("baton-{:016x}", Ids::system().below(u64::MAX)));
        new_private_folder(&folder)?;
        let path = folder.join("reply.txt");
        write_private(&path, text.as_bytes())?;
        let child = Command::new(name).args(words).arg(&path).kill_on_drop(true).spawn()?;
        Ok(Self { conversation, slot, running: Some((child, path)) })
    }

    /// One that could not be started.
    pub(super) const fn failed(conversation: ConversationId, slot: Slot) -> Self {
        Self { conversation, slot, running: None }
    }

    /// What stands in the file when the editor is closed. May be cancelled and called again.
    pub(super) async fn wait(&mut self) -> Cause {
        let text = match &mut self.running {
            Some((child, path)) => {
                let status = child.wait().await;
                read(path, status)
            }
            None => None,
        };
        Cause::Edited { conversation: self.conversation, slot: self.slot, text }
    }
}

impl Drop for OwnEditor {
    /// The text does not lie around.
    fn drop(&mut self) {
        let Some((_, path)) = &self.running else { return };
        let removed = std::fs::remove_file(path).and_then(|()| match path.parent() {
            Some(folder) => std::fs::remove_dir(folder),
            None => Ok(()),
        });
        if let Err(error) = removed {
            tracing::warn!(%error, "the editor's file could not be removed");
        }
    }
}

fn read(path: &PathBuf, status: io::Result<ExitStatus>) -> Option<String> {
    let is_fine = status.is_ok_and(|status| status.success());
    let fits = std::fs::metadata(path).is_ok_and(|file| file.len() <= BYTES_MAX);
    if is_fine && fits { std::fs::read_to_string(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MARINA, conversation};

    async fn edited(program: &str) -> Option<String> {
        let mut editor = OwnEditor::start(program, conversation(MARINA), Slot::Reply, "before").unwrap();
        let Cause::Edited { text, .. } = editor.wait().await else { panic!("it ends") };
        let path = editor.running.as_ref().unwrap().1.clone();
        drop(editor);
        assert!(!path.exists());
        text
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_text_goes_there_and_comes_back() {
        assert_eq!(edited("true").await, Some("before".into()));
        assert_eq!(edited("false").await, None, "a failed editor changes nothing");
        assert!(OwnEditor::start("no-such-editor-here", conversation(MARINA), Slot::Reply, "").is_err());
    }
}
