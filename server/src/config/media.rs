//! Files: where they are kept, how large they may be, and from whom they are fetched.

use std::path::{Path, PathBuf};

use super::{
    ConfigError,
    source::{Section, filled},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The folder that they are kept in.
    pub folder: PathBuf,
    /// In bytes; larger ones stay at WhatsApp.
    pub limit: u64,
    /// Who is shown the access token when a file is fetched, besides Graph itself: these hosts and
    /// those below them.
    pub hosts: Vec<String>,
}

const MEGABYTE: u64 = 1024 * 1024;

/// Meta lets nobody send more (section "Media" of the Cloud API's reference).
const LARGEST: u64 = 100;

const METAS_HOSTS: [&str; 3] = ["fbsbx.com", "whatsapp.net", "facebook.com"];

/// A folder in the file is seen from the file's folder; the default one is beside a SQLite database.
pub(super) fn read(root: &Section<'_>, folder: &Path, database_url: &str) -> Result<Media, ConfigError> {
    let section = root.table("media")?;
    let kept = match section.scalar("folder")? {
        None => beside(database_url),
        Some(path) => {
            let from = if path.is_from_file() { folder } else { Path::new("") };
            from.join(path.parse("the path of a folder", |text| filled(text).map(PathBuf::from))?)
        }
    };
    let expected = format!("a whole number from 1 to {LARGEST}");
    let megabytes = section.parse("max_megabytes", &expected, |text| {
        text.parse::<u64>().ok().filter(|number| (1..=LARGEST).contains(number))
    })?;
    let hosts = section.texts("hosts")?.into_iter().map(|text| text.parse("a host such as fbsbx.com", host));
    let hosts = hosts.collect::<Result<Vec<String>, ConfigError>>()?;
    let hosts = if hosts.is_empty() { METAS_HOSTS.map(str::to_owned).into() } else { hosts };
    section.finish()?;
    Ok(Media { folder: kept, limit: megabytes.unwrap_or(LARGEST) * MEGABYTE, hosts })
}

fn beside(database_url: &str) -> PathBuf {
    let file = database_url.strip_prefix("sqlite://").or_else(|| database_url.strip_prefix("sqlite:"));
    let file = file.map(|file| file.split('?').next().unwrap_or_default());
    file.and_then(|file| Path::new(file).parent()).unwrap_or(Path::new("")).join("media")
}

fn host(text: &str) -> Option<String> {
    let fits = text.contains('.') && !text.starts_with('.') && !text.ends_with('.');
    let fits = fits && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    fits.then(|| text.to_ascii_lowercase())
}
