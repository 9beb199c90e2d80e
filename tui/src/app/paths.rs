//! Paths that are typed: completed, and looked at.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use baton_shared::file::{Facts, HEAD};

use crate::event::Looked;

/// So many ways to go on are shown.
const CHOICES: usize = 40;

/// How `typed` goes on if there is only one way, or as far as all ways are the same; and the ways.
pub(super) fn complete(typed: &str, home: &Path) -> (String, Vec<String>) {
    let (folder, begun) =
        typed.rsplit_once('/').map_or(("", typed), |(folder, begun)| (&typed[..=folder.len()], begun));
    let read = if folder.is_empty() { PathBuf::from(".") } else { expand(folder, home) };
    let entries = std::fs::read_dir(read).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begun.starts_with('.');
            let end = if entry.path().is_dir() { "/" } else { "" };
            (!hidden && name.starts_with(begun)).then(|| format!("{name}{end}"))
        })
        .collect();
    names.sort();
    let common = common(&names).unwrap_or_else(|| begun.to_owned());
    names.truncate(CHOICES);
    (format!("{folder}{common}"), names)
}

fn common(names: &[String]) -> Option<String> {
    let (first, rest) = names.split_first()?;
    let same = |other: &String| first.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let length = rest.iter().map(same).min().unwrap_or_else(|| first.chars().count());
    Some(first.chars().take(length).collect())
}

/// What lies at the end of a path as people type, paste or drop it.
pub(super) fn look(typed: &str, home: &Path) -> Result<Looked, String> {
    let mut last = String::new();
    for path in readings(typed.trim(), home) {
        match facts(&path) {
            Ok((name, facts)) => return Ok(Looked { typed: typed.to_owned(), path, name, facts }),
            Err(why) => last = format!("{}: {why}", path.display()),
        }
    }
    Err(last)
}

/// As it stands, without quotes, without the backslashes that a shell wants, and as an address.
fn readings(typed: &str, home: &Path) -> Vec<PathBuf> {
    let bare = typed.strip_prefix("file://").unwrap_or(typed);
    let quoted = ['\'', '"'].into_iter().find_map(|quote| bare.strip_prefix(quote)?.strip_suffix(quote));
    let mut all: Vec<String> = quoted.map(str::to_owned).into_iter().collect();
    if bare.contains('\\') {
        all.push(bare.replace('\\', ""));
    }
    if bare.len() < typed.len() && bare.contains('%') {
        all.push(decoded(bare));
    }
    all.push(bare.to_owned());
    all.iter().map(|one| expand(one, home)).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn expand(typed: &str, home: &Path) -> PathBuf {
    match typed.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        Some(_) | None => PathBuf::from(typed),
    }
}

fn facts(path: &Path) -> Result<(String, Facts), String> {
    let read = || -> io::Result<(Vec<u8>, std::fs::Metadata)> {
        let about = std::fs::metadata(path)?;
        // Opening a pipe would wait for whoever writes into it.
        if !about.is_file() {
            return Ok((vec![], about));
        }
        let mut head = Vec::new();
        std::fs::File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
        Ok((head, about))
    };
    let (head, about) = read().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        _ => error.to_string(),
    })?;
    if !about.is_file() {
        return Err(if about.is_dir() { "that is a folder".into() } else { "that is no file".into() });
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let facts = Facts::of(&head, &name, about.len());
    Ok((name, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_completed_as_far_as_it_is_clear() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lamp one.png", "lamp two.png", ".hidden", "bill.pdf"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("more")).unwrap();
        let complete = |typed: &str| complete(typed, folder.path());
        assert_eq!(complete("~/b"), ("~/bill.pdf".into(), vec!["bill.pdf".into()]));
        assert_eq!(complete("~/la").0, "~/lamp ");
        assert_eq!(complete("~/la").1, ["lamp one.png", "lamp two.png"]);
        assert_eq!(complete("~/mo").0, "~/more/");
        assert_eq!(complete("~/").1, ["bill.pdf", "lamp one.png", "lamp two.png", "more/"]);
        assert_eq!(complete("~/zz"), ("~/zz".into(), vec![]));
        assert_eq!(complete("/no/such/folder/x").1, Vec::<String>::new());
    }

    #[test]
    fn a_path_is_read_as_people_paste_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my lamp.png");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
        let whole = path.to_string_lossy().into_owned();
        let escaped = whole.replace(' ', "\\ ");
        let address = format!("file://{}", whole.replace(' ', "%20"));
        for typed in [&whole, &format!("'{whole}'"), &format!(" {whole} "), &escaped, &address, "~/my lamp.png"] {
            let looked = look(typed, folder.path()).unwrap_or_else(|why| panic!("{typed}: {why}"));
            assert_eq!((looked.name.as_str(), looked.facts.mime_type), ("my lamp.png", "image/png"));
        }
        for (typed, why) in [("~", "that is a folder"), ("~/none", "there is no such file")] {
            assert!(look(typed, folder.path()).unwrap_err().ends_with(why));
        }
    }
}
