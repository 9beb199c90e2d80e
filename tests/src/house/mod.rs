//! The house rules, checked from our own sources: who may name whom, where SQL and escapes stand.

mod code;
mod paths;
pub mod rules;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use code::{Code, Kind, Token};
pub use paths::Named;

/// One Rust file of the project.
#[derive(Debug)]
pub struct Source {
    /// From the root of the project, with slashes: `server/src/store/mod.rs`.
    pub path: String,
    pub code: Code,
}

/// A rule that a file breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub path: String,
    pub line: usize,
    pub what: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: Code::read(text) }
    }

    /// Whether it stands below `folder`, or is it.
    pub fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A file that holds nothing but tests.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || self.path.contains("/tests/")
    }

    /// The module path within its crate: `["store", "engine"]`; empty for the root.
    pub fn module(&self) -> Vec<&str> {
        let within = self.path.split_once("/src/").map_or(self.path.as_str(), |(_, within)| within);
        let mut parts: Vec<&str> = within.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    /// Everything that is named by a path, with groups spread out and `super` resolved.
    pub fn names(&self) -> Vec<Named> {
        paths::names(&self.code, &self.module())
    }

    fn broken(&self, line: usize, what: impl Into<String>) -> Broken {
        Broken { path: self.path.clone(), line, what: what.into() }
    }
}

/// Every Rust file below `folders` of the project at `root`.
///
/// # Errors
/// If a folder or a file cannot be read.
pub fn read(root: &Path, folders: &[&str]) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in folders {
        walk(&root.join(folder), &mut |file| {
            let text = std::fs::read_to_string(&file)?;
            let path = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            sources.push(Source::new(&path, &text));
            Ok(())
        })?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn walk(folder: &Path, each: &mut impl FnMut(PathBuf) -> io::Result<()>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, each)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            each(path)?;
        }
    }
    Ok(())
}
