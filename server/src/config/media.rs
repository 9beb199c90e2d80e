//! Files: where they are kept, how large they may be, and from whom they are fetched.

use std::path::{Path, PathBuf};

use super::{
    ConfigError, Secret,
    source::{Section, filled},
    whatsapp::{secret, url},
};

#[derive(Clone, Debug)]
pub struct Media {
    pub shelf: Shelf,
    /// In bytes; larger ones stay at WhatsApp.
    pub limit: u64,
    /// Who is shown the access token when a file is fetched, besides Graph itself: these hosts and
    /// those below them.
    pub hosts: Vec<String>,
}

/// Where files are kept.
#[derive(Clone, Debug)]
pub enum Shelf {
    Folder(PathBuf),
    Bucket(Bucket),
}

impl Shelf {
    /// `None` for a bucket.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket(_) => None,
        }
    }
}

/// A bucket of Amazon's S3, or of a service that speaks like it.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    /// What the names of our files begin with; may be empty.
    pub prefix: String,
    pub region: String,
    /// `None`: Amazon's own.
    pub endpoint: Option<String>,
    /// `None`: the role of the machine that we run on.
    pub key: Option<Key>,
}

/// What requests to a bucket are signed with.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: Secret,
}

const MEGABYTE: u64 = 1024 * 1024;

/// Meta lets nobody send more (section "Media" of the Cloud API's reference).
const LARGEST: u64 = 100;

const METAS_HOSTS: [&str; 3] = ["fbsbx.com", "whatsapp.net", "facebook.com"];

pub(super) fn read(root: &Section<'_>, folder: &Path, database_url: &str) -> Result<Media, ConfigError> {
    let section = root.table("media")?;
    let shelf = match bucket(&section)? {
        Some(bucket) => Shelf::Bucket(bucket),
        None => Shelf::Folder(self::folder(&section, folder, database_url)?),
    };
    let expected = format!("a whole number from 1 to {LARGEST}");
    let megabytes = section.parse("max_megabytes", &expected, |text| {
        text.parse::<u64>().ok().filter(|number| (1..=LARGEST).contains(number))
    })?;
    let hosts = section.texts("hosts")?.into_iter().map(|text| text.parse("a host such as fbsbx.com", host));
    let hosts = hosts.collect::<Result<Vec<String>, ConfigError>>()?;
    let hosts = if hosts.is_empty() { METAS_HOSTS.map(str::to_owned).into() } else { hosts };
    section.finish()?;
    Ok(Media { shelf, limit: megabytes.unwrap_or(LARGEST) * MEGABYTE, hosts })
}

fn bucket(section: &Section<'_>) -> Result<Option<Bucket>, ConfigError> {
    let place = section.parse("bucket", "s3://NAME or s3://NAME/PREFIX", s3)?;
    let region = section.parse("region", "a region such as eu-central-1", filled)?;
    let endpoint = section.parse("endpoint", "an http or https address", url)?;
    let id = section.parse("access_key_id", "the id of an access key", filled)?;
    let secret = section.parse("secret_access_key", "a secret access key", secret)?;
    let Some((name, prefix)) = place else {
        let alone = region.is_some() || endpoint.is_some() || id.is_some() || secret.is_some();
        return if alone {
            Err(section.missing("bucket", "s3://NAME, to which the other keys belong"))
        } else {
            Ok(None)
        };
    };
    if let Some(folder) = section.scalar("folder")? {
        return Err(folder.error("a folder beside a bucket", "one of them"));
    }
    let key = match (id, secret) {
        (Some(id), Some(secret)) => Some(Key { id, secret }),
        (None, None) => None,
        (Some(_), None) => return Err(section.missing("secret_access_key", "the secret of access_key_id")),
        (None, Some(_)) => return Err(section.missing("access_key_id", "the id of secret_access_key")),
    };
    Ok(Some(Bucket { name, prefix, region: region.unwrap_or_else(|| "us-east-1".into()), endpoint, key }))
}

/// The name and what files begin with.
fn s3(text: &str) -> Option<(String, String)> {
    let (name, prefix) = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
    let named = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c));
    let fits = (3..=63).contains(&name.len()) && named(name) && named(prefix) && !prefix.contains("..");
    fits.then(|| (name.to_owned(), prefix.trim_matches('/').to_owned()))
}

/// A folder in the file is seen from the file's folder; the default one is beside a SQLite database.
fn folder(section: &Section<'_>, folder: &Path, database_url: &str) -> Result<PathBuf, ConfigError> {
    let Some(path) = section.scalar("folder")? else { return Ok(beside(database_url)) };
    let from = if path.is_from_file() { folder } else { Path::new("") };
    Ok(from.join(path.parse("the path of a folder", |text| filled(text).map(PathBuf::from))?))
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
