//! The folder and its files.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use baton_shared::{AgentId, ConversationId};
use serde::{Serialize, de::DeserializeOwned};

use super::{Desk, Settings, Write};
use crate::net::Unanswered;

/// The folder of one agent on one server.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
    settings: PathBuf,
}

impl Files {
    /// Makes the folders; only their owner may enter.
    pub fn open(root: &Path, server: &str, agent: AgentId) -> io::Result<Self> {
        let server: String =
            server.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect();
        let own = root.join(server).join(agent.to_string());
        for folder in ["drafts", "commands"] {
            private_folder(&own.join(folder))?;
        }
        Ok(Self { root: own, settings: root.join("settings.json") })
    }

    pub fn apply(&self, write: &Write) -> io::Result<()> {
        match write {
            Write::Desk { conversation, desk, .. } if desk.is_empty() => remove(&self.draft(*conversation)),
            Write::Desk { conversation, desk, .. } => save(&self.draft(*conversation), desk),
            Write::Command(unanswered) => save(&self.command(&unanswered.command.id.to_string()), unanswered),
            Write::ForgetCommand(id) => remove(&self.command(&id.to_string())),
            Write::Settings(settings) => save(&self.settings, settings),
        }
    }

    /// What can be read; a broken file is left where it is, for a person to look at.
    pub fn desks(&self) -> HashMap<ConversationId, Desk> {
        files_of(&self.root.join("drafts"))
            .filter_map(|(name, path)| Some((name.parse().ok()?, load(&path)?)))
            .collect()
    }

    /// Commands of an earlier run, oldest first.
    pub fn commands(&self) -> Vec<Unanswered> {
        let mut commands: Vec<Unanswered> =
            files_of(&self.root.join("commands")).filter_map(|(_, path)| load(&path)).collect();
        commands.sort_by_key(|unanswered| (unanswered.made_at, unanswered.command.id));
        commands
    }

    pub fn settings(&self) -> Settings {
        load(&self.settings).unwrap_or_default()
    }

    fn draft(&self, conversation: ConversationId) -> PathBuf {
        self.root.join("drafts").join(format!("{conversation}.json"))
    }

    fn command(&self, id: &str) -> PathBuf {
        self.root.join("commands").join(format!("{id}.json"))
    }
}

/// Writes beside `path` and renames, so that nobody ever reads half a file; mode 0600.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // The process's number: two clients of one person do not write into each other's file.
    let beside = folder.join(format!(".{}.{}", file_name(path), std::process::id()));
    let written = private_file(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()
    });
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        if let Err(error) = fs::remove_file(&beside) {
            tracing::debug!(%error, "a half-written file could not be removed");
        }
    })
}

/// Makes a folder, and those above it, that only its owner may enter.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    private_builder().recursive(true).create(path)
}

/// The same, but fails if there is one.
pub(crate) fn new_private_folder(path: &Path) -> io::Result<()> {
    private_builder().create(path)
}

fn private_builder() -> fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn save(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write_private(path, &serde_json::to_vec(value)?)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = fs::read(path).ok()?;
    serde_json::from_slice(&bytes)
        .inspect_err(|error| tracing::warn!(line = error.line(), file = file_name(path), "a file could not be read"))
        .ok()
}

/// Names without `.json`, and paths; not what is being written just now.
fn files_of(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        Some((file_name(&path).strip_suffix(".json")?.to_owned(), path))
    })
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use baton_shared::{
        Epoch, Ids, Micros,
        protocol::{Act, Command},
    };

    use super::*;
    use crate::local::{Kept, Slot};

    fn desk(text: &str) -> Desk {
        let kept = Kept { text: text.into(), cursor: 1, typed_at: Micros(5), based_on: 2 };
        Desk { texts: HashMap::from([(Slot::Reply, kept)]), stash: vec!["aside".into()] }
    }

    #[test]
    fn what_was_typed_comes_back_and_is_private() {
        let (folder, ids) = (tempfile::tempdir().unwrap(), Ids::seeded(1));
        let (agent, conversation) = (ids.next(Micros(0)), ids.next(Micros(0)));
        let files = Files::open(folder.path(), "https://a.example:8080", agent).unwrap();
        let write = Write::Desk { conversation, desk: desk("olá"), slot: Slot::Reply };
        files.apply(&write).unwrap();
        let again = Files::open(folder.path(), "https://a.example:8080", agent).unwrap();
        assert_eq!(again.desks(), HashMap::from([(conversation, desk("olá"))]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&files.draft(conversation)), 0o600);
            assert_eq!(mode(&files.root), 0o700);
        }
        files.apply(&Write::Desk { conversation, desk: Desk::default(), slot: Slot::Reply }).unwrap();
        assert!(again.desks().is_empty());
    }

    #[test]
    fn commands_come_back_in_order_and_broken_files_harm_nothing() {
        let (folder, ids) = (tempfile::tempdir().unwrap(), Ids::seeded(1));
        let files = Files::open(folder.path(), "s", ids.next(Micros(0))).unwrap();
        let given = |second| {
            let made_at = Micros::from_seconds(second);
            let command =
                Command { id: ids.next(made_at), conversation: ids.next(made_at), act: Act::Take { epoch: Epoch(1) } };
            Unanswered { made_at, command }
        };
        let (late, early) = (given(9), given(3));
        for unanswered in [&late, &early] {
            files.apply(&Write::Command(unanswered.clone())).unwrap();
        }
        fs::write(files.command("0"), b"{\"made_at\":").unwrap();
        assert_eq!(files.commands(), [early.clone(), late.clone()]);
        files.apply(&Write::ForgetCommand(early.command.id)).unwrap();
        files.apply(&Write::ForgetCommand(early.command.id)).unwrap();
        assert_eq!(files.commands(), [late]);
    }
}
