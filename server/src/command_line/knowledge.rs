//! `knowledge`: what the business has written down, and the bot answers from.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use baton_server::{
    Context,
    bot::model,
    config::{Language, Settings},
    embedder,
    knowledge::{
        Became, Librarian, Library, Source, Wanted,
        documents::Kind,
        index::{FLOOR, Hit},
    },
    librarian,
    store::{
        StoreError, Urgency,
        knowledge::{self as store, Document, State},
    },
};
use baton_shared::Micros;
use clap::{Args, Subcommand};

use super::{
    failure::Failure,
    output::{agrees, explain, say, table},
    settings,
};

#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Read files, folders or pages of the web, so that the bot can answer from them.
    #[command(after_help = "\
Examples:
  baton-server knowledge add policies/            every document in the folder and below it
  baton-server knowledge add prices.pdf --language de
  baton-server knowledge add https://example.com/returns --channel outlet

Read are Markdown (.md), text (.txt), HTML (.html), PDF, Word (.docx) and CSV with a question and its answer
in each row. A running server uses them within seconds, and reads a file again when it has changed, a page
every hour. What cannot be read is named and skipped; the exit code is 1 then.")]
    Add(Add),
    /// Show every document, how much was read of it, and what is wrong with it.
    List,
    /// Forget a document: the bot does not answer from it any more. The file stays.
    Remove(Remove),
    /// Show what the bot would be given for a question, and how sure that is.
    Search(Search),
    /// Look now whether documents have changed, and read those again.
    Refresh {
        /// As `knowledge list` shows it; without it, all.
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Files, folders, and http or https addresses.
    #[arg(required = true, value_name = "PATH|URL")]
    what: Vec<String>,
    /// Two letters, such as pt; without it, as the text sounds.
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// Tell only the customers of this number, by its name in the settings.
    #[arg(long)]
    channel: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// As `knowledge list` shows it, or its path or address.
    name: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Search {
    /// As a customer would ask it.
    question: String,
    /// As a customer of this number.
    #[arg(long, default_value = "")]
    channel: String,
    /// How many passages to show.
    #[arg(long, default_value_t = 5)]
    most: usize,
}

pub(super) async fn run(settings: Settings, act: Act) -> Result<(), Failure> {
    if let Act::Add(_) = act {
        settings::make_if_missing(&settings).await?;
    }
    let context = settings::open(settings).await?;
    let done = match act {
        Act::Add(new) => add(&context, new).await,
        Act::List => list(&context).await,
        Act::Remove(whom) => remove(&context, whom).await,
        Act::Search(search) => self::search(&context, search).await,
        Act::Refresh { name } => refresh(&context, name.as_deref()).await,
    };
    context.db.close().await;
    done
}

fn language(text: &str) -> Result<Language, String> {
    text.parse().map_err(|()| "expected two small letters, such as en".to_owned())
}

fn this_librarian(context: &Context) -> Librarian {
    librarian(context, std::env::current_exe().ok())
}

async fn add(context: &Context, new: Add) -> Result<(), Failure> {
    if let Some(channel) = &new.channel {
        named_channel(context, channel)?;
    }
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for what in &new.what {
        let source = Source::parse(what).map_err(|why| Failure::wrong(why.to_string()))?;
        match source {
            Source::File(path) if path.is_dir() => files(&path, &path, &mut found, &mut skipped)
                .map_err(|why| Failure::failed(format!("{}: {why}", path.display())))?,
            Source::File(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if Kind::of_name(&name).is_none() {
                    return Err(Failure::wrong(format!("{what}: found another ending, expected {}", kinds())));
                }
                found.push((name, Source::File(path)));
            }
            Source::Page(address) => found.push((page_name(&address), Source::Page(address))),
        }
    }
    for name in &skipped {
        explain(&format!("skipped {name}: of no kind that is read"));
    }
    if found.is_empty() {
        return Err(Failure::wrong(format!("found nothing to read, expected {}", kinds())));
    }
    let (librarian, count) = (this_librarian(context), found.len());
    let mut tally = Tally::default();
    for (number, (name, source)) in found.into_iter().enumerate() {
        let wanted = Wanted { source, name, language: new.language, channel: new.channel.clone() };
        let became = librarian.add(&wanted).await?;
        explain(&format!("[{}/{count}] {}: {}", number + 1, wanted.name, tally.told(&became)));
    }
    tally.end()
}

fn kinds() -> String {
    Kind::ALL.map(Kind::word).join(", ")
}

fn named_channel(context: &Context, name: &str) -> Result<(), Failure> {
    let names: Vec<&str> = context.settings.whatsapp.channels.iter().map(|one| one.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Failure::wrong(format!("--channel: found {name:?}, expected one of: {}", names.join(", "))))
}

/// Every document of a folder, named as seen from `root`; neither hidden ones nor through links to folders.
fn files(
    root: &Path,
    folder: &Path,
    found: &mut Vec<(String, Source)>,
    skipped: &mut Vec<String>,
) -> Result<(), io::Error> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path: PathBuf = entry.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files(root, &path, found, skipped)?;
        } else if Kind::of_name(&name).is_some() && path.is_file() {
            found.push((name, Source::File(path)));
        } else {
            skipped.push(name);
        }
    }
    Ok(())
}

fn page_name(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    bare.trim_end_matches('/').to_owned()
}

/// What came of many.
#[derive(Default)]
struct Tally {
    read: usize,
    same: usize,
    chunks: usize,
    broken: usize,
}

impl Tally {
    fn told(&mut self, became: &Became) -> String {
        match became {
            Became::Same => {
                self.same += 1;
                "as it was".into()
            }
            Became::Read { chunks } => {
                self.read += 1;
                self.chunks += chunks;
                format!("{chunks} {}", if *chunks == 1 { "passage" } else { "passages" })
            }
            Became::Failed(why) => {
                self.broken += 1;
                format!("cannot be read: {why}")
            }
            Became::Overtaken => {
                self.same += 1;
                "read by somebody else just now".into()
            }
        }
    }

    fn end(self) -> Result<(), Failure> {
        let Self { read, same, chunks, broken } = self;
        say(&format!("{read} read with {chunks} passages, {same} as they were, {broken} could not be read"));
        match broken {
            0 => Ok(()),
            1 => Err(Failure::failed("one document could not be read: `baton-server knowledge list` says why")),
            _ => Err(Failure::failed(format!(
                "{broken} documents could not be read: `baton-server knowledge list` says why"
            ))),
        }
    }
}

async fn every(context: &Context) -> Result<Vec<Document>, StoreError> {
    store::every(context.db.reader().await?.conn()).await
}

async fn list(context: &Context) -> Result<(), Failure> {
    let documents = every(context).await?;
    if documents.is_empty() {
        explain("Nothing yet: `baton-server knowledge add PATH|URL`.");
        return Ok(());
    }
    let heading = ["NAME", "KIND", "LANGUAGE", "CHANNEL", "PASSAGES", "READ", "STATE", "SOURCE"].map(str::to_owned);
    let rows = documents.into_iter().map(|one| {
        let state = match (one.state, &one.problem) {
            (State::Ready, _) => "ready".to_owned(),
            (State::New, _) => "not read yet".to_owned(),
            (State::Stale, why) => format!("older one in use: {}", why.as_deref().unwrap_or_default()),
            (State::Broken, why) => format!("cannot be read: {}", why.as_deref().unwrap_or_default()),
        };
        let channel = if one.channel.is_empty() { "all".to_owned() } else { one.channel };
        let read = one.read_at.map(minute).unwrap_or_default();
        vec![
            one.name,
            one.kind.unwrap_or_default(),
            one.language,
            channel,
            one.chunks.to_string(),
            read,
            state,
            one.source,
        ]
    });
    table(&std::iter::once(heading.to_vec()).chain(rows).collect::<Vec<_>>());
    Ok(())
}

fn minute(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// The document of a name, a path or an address.
async fn find(context: &Context, name: &str) -> Result<Document, Failure> {
    let source = Source::parse(name).map(|source| source.text()).ok();
    let documents = every(context).await?;
    let is_it = |one: &&Document| one.name == name || one.source == name || Some(&one.source) == source.as_ref();
    let mut found: Vec<&Document> = documents.iter().filter(is_it).collect();
    match found.len() {
        1 => Ok(found.remove(0).clone()),
        0 => Err(Failure::failed(format!(
            "no document is called {name:?}: `baton-server knowledge list` shows all of them"
        ))),
        _ => {
            Err(Failure::failed(format!("several documents are called {name:?}: expected the path or address of one")))
        }
    }
}

async fn remove(context: &Context, whom: Remove) -> Result<(), Failure> {
    let document = find(context, &whom.name).await?;
    let question = format!("Forget {} with its {} passages?", document.name, document.chunks);
    match whom.yes.then_some(true).or_else(|| agrees(&question)) {
        Some(true) => (),
        Some(false) => return Err(Failure::failed("nothing was changed")),
        None => return Err(Failure::wrong("--yes: found no terminal to ask at, expected --yes")),
    }
    let (id, now) = (document.id, context.clock.now());
    context.db.write(Urgency::Last, move |tx| Box::pin(store::remove(tx, id, now))).await?;
    say(&format!("{} is forgotten: the bot does not answer from it any more.", document.name));
    Ok(())
}

async fn refresh(context: &Context, name: Option<&str>) -> Result<(), Failure> {
    let documents = match name {
        Some(name) => vec![find(context, name).await?],
        None => every(context).await?,
    };
    let (librarian, count) = (this_librarian(context), documents.len());
    let mut tally = Tally::default();
    for (number, document) in documents.into_iter().enumerate() {
        let became = librarian.refresh(&document).await?;
        explain(&format!("[{}/{count}] {}: {}", number + 1, document.name, tally.told(&became)));
    }
    tally.end()
}

async fn search(context: &Context, search: Search) -> Result<(), Failure> {
    if !search.channel.is_empty() {
        named_channel(context, &search.channel)?;
    }
    let transport = model::HttpTransport::new();
    let transport = transport.map_err(|why| Failure::failed(format!("no TLS on this machine: {why}")))?;
    let transport: Arc<dyn model::Transport> = Arc::new(transport);
    let library = Library::new(embedder(context, &transport));
    library.refresh(&context.db).await?;
    if library.is_empty() {
        explain("Nothing yet: `baton-server knowledge add PATH|URL`.");
        return Ok(());
    }
    let hits = library.find(&search.question, &search.channel, search.most).await;
    let (above, below): (Vec<&Hit>, Vec<&Hit>) = hits.iter().partition(|hit| hit.relevant);
    if above.is_empty() {
        explain(&format!("Nothing is above the floor of {FLOOR:.2}: the bot is told that no document says anything."));
    }
    above.iter().for_each(|hit| show(hit));
    if !below.is_empty() {
        say(&format!("-- below the floor of {FLOOR:.2}: not given to the bot --"));
        below.iter().for_each(|hit| show(hit));
    }
    Ok(())
}

/// Characters of a passage that are shown.
const SHOWN: usize = 240;

fn show(hit: &Hit) {
    let heading = if hit.heading.is_empty() { String::new() } else { format!(" > {}", hit.heading) };
    let likeness = hit.likeness.map_or_else(String::new, |likeness| format!(", likeness {likeness:.2}"));
    say(&format!("{:.2}  {}{heading}  (score {:.2}{likeness})", hit.coverage, hit.name, hit.score));
    let text: String = hit.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
    say(&format!("      {text}"));
}
