//! Which playbook speaks on which number: a number's own, or the server's.

use std::path::{Path, PathBuf};

use super::{
    error::{ConfigError, one_line, quoted},
    playbook::Playbook,
    source::{Scalar, Section, filled},
};

/// One playbook and how the settings call it.
#[derive(Clone, Debug)]
pub struct Book {
    /// As the settings name it; `none` if nobody named one.
    pub name: String,
    pub playbook: Playbook,
    /// Not until a playbook is named: the built-in one speaks for a shop that does not exist.
    pub may_speak: bool,
    /// Where it lies: numbers that name the same file share what is learnt from it.
    pub place: PathBuf,
}

/// The playbooks that were named so far, each file once.
pub(super) struct Books<'a> {
    /// From where paths in the file are seen.
    folder: &'a Path,
    read: Vec<Book>,
}

const EXPECTED: &str = "the path of a playbook";

impl<'a> Books<'a> {
    /// With the server's own at the first place.
    pub(super) fn new(root: &Section<'_>, folder: &'a Path) -> Result<Self, ConfigError> {
        let mut books = Self { folder, read: Vec::new() };
        if books.of(root)?.is_none() {
            let (name, playbook) = ("none".into(), Playbook::shop());
            books.read.push(Book { name, playbook, may_speak: false, place: PathBuf::new() });
        }
        Ok(books)
    }

    /// The place of the one that `section` names, if it names one.
    pub(super) fn of(&mut self, section: &Section<'_>) -> Result<Option<usize>, ConfigError> {
        let Some(named) = section.scalar("playbook")? else { return Ok(None) };
        let place = self.place(&named)?;
        if let Some(known) = self.read.iter().position(|book| book.place == place) {
            return Ok(Some(known));
        }
        let playbook = if named.text == Playbook::SAMPLE { Playbook::shop() } else { load(&named, &place)? };
        self.read.push(Book { name: named.text, playbook, may_speak: true, place });
        Ok(Some(self.read.len() - 1))
    }

    pub(super) fn into_all(self) -> Vec<Book> {
        self.read
    }

    /// A path in the file is seen from the file's folder, one in the environment from where we run.
    fn place(&self, named: &Scalar) -> Result<PathBuf, ConfigError> {
        if named.text == Playbook::SAMPLE {
            return Ok(Playbook::SAMPLE.into());
        }
        let Some(path) = filled(&named.text) else { return Err(named.wrong(EXPECTED)) };
        let place = if named.is_from_file() { self.folder.join(path) } else { path.into() };
        // Two ways to write it are one file.
        place.canonicalize().map_err(|why| unreadable(named, &place, &why))
    }
}

fn load(named: &Scalar, place: &Path) -> Result<Playbook, ConfigError> {
    let text = std::fs::read_to_string(place).map_err(|why| unreadable(named, place, &why))?;
    Playbook::parse(&place.display().to_string(), &text)
}

fn unreadable(named: &Scalar, place: &Path, why: &std::io::Error) -> ConfigError {
    let found = format!("{} ({}: {})", quoted(&named.text), place.display(), one_line(&why.to_string()));
    named.error(&found, EXPECTED)
}
