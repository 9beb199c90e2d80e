//! A PDF, read by a process of its own: its parser panics on what it does not understand, and may take all the
//! memory or an hour. There, that ends the process and nothing else.

use std::{io, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::{Block, Kind, MOST_TEXT, Unreadable};

/// What `baton-server` is started with to be that process: a PDF on its standard input, its pages on the output.
pub(super) const COMMAND: &str = "read-pdf";
/// Until its text must be there.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of memory, in bytes.
const MEMORY: u64 = 1024 * 1024 * 1024;
const PAGES: usize = 2_000;
/// Between pages; no text has it.
const BREAK: char = '\u{c}';
/// Of what is said on the standard error, in bytes.
const REASON: u64 = 400;

/// The text of each page.
pub(super) async fn pages(program: &Path, bytes: &[u8]) -> Result<Vec<String>, Unreadable> {
    let broken = |why: String| Unreadable::Broken(Kind::Pdf, why);
    let mut command = Command::new(program);
    command.arg(COMMAND).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().map_err(|_| Unreadable::NoProgram)?;
    let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Unreadable::NoProgram);
    };
    let exchange = async {
        let (mut text, mut why) = (Vec::new(), Vec::new());
        let give = async {
            // It may be gone before it has taken all.
            let _ = input.write_all(bytes).await;
            drop(input);
        };
        let mut output = output.take(MOST_TEXT as u64 + 1);
        let mut errors = errors.take(REASON);
        let (_, read, _) = tokio::join!(give, output.read_to_end(&mut text), errors.read_to_end(&mut why));
        read.map(|_| (text, why))
    };
    let (text, why) = tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| Unreadable::TooSlow(PATIENCE.as_secs()))?
        .map_err(|why| broken(why.to_string()))?;
    if text.len() > MOST_TEXT {
        return Err(Unreadable::TooMuchText);
    }
    let done = tokio::time::timeout(PATIENCE, child.wait()).await;
    if !matches!(done, Ok(Ok(status)) if status.success()) {
        let why = String::from_utf8_lossy(&why);
        let line = why.lines().next().unwrap_or_default().trim();
        return Err(broken(if line.is_empty() { "its parser broke off".into() } else { line.to_owned() }));
    }
    Ok(String::from_utf8_lossy(&text).split(BREAK).map(str::to_owned).collect())
}

/// Reads a PDF from `input` and writes its pages to `output`, in the process that [`Reader`](super::Reader)
/// starts; nobody else should call it, for it limits the process and may end it.
///
/// # Errors
/// What is wrong with the PDF, in one line.
pub fn read_pdf(mut input: impl io::Read, mut output: impl io::Write) -> Result<(), String> {
    limit_this_process();
    // A panic is told as one line, by whoever catches it.
    std::panic::set_hook(Box::new(|_| {}));
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    let read = std::panic::catch_unwind(|| pdf_extract::extract_text_from_mem_by_pages(&bytes));
    let pages = read.map_err(|_| "its parser broke off".to_owned())?.map_err(|why| why.to_string())?;
    if pages.len() > PAGES {
        return Err(format!("it has {} pages, more than the {PAGES} that are read", pages.len()));
    }
    let text = pages.iter().map(|page| page.replace(BREAK, " ")).collect::<Vec<_>>().join(&BREAK.to_string());
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(|why| why.to_string())
}

/// By the operating system, so that it holds whatever the parser does.
#[cfg(unix)]
fn limit_this_process() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    // Where the system does not let us, the time limit of whoever waits still holds.
    let _ = setrlimit(Resource::As, most(MEMORY));
    let _ = setrlimit(Resource::Cpu, most(PATIENCE.as_secs()));
    let _ = setrlimit(Resource::Core, most(0));
}

#[cfg(not(unix))]
const fn limit_this_process() {
    let _ = MEMORY;
}

/// A heading a page, so that a source can be looked up; lines are joined to paragraphs.
pub(super) fn blocks(pages: &[String]) -> Vec<Block> {
    let page = |(number, text): (usize, &String)| {
        let heading = Block::Heading { level: 1, text: format!("page {number}") };
        let text: Vec<Block> = super::text::blocks(text).into_iter().map(joined).collect();
        (!text.is_empty()).then(|| std::iter::once(heading).chain(text))
    };
    (1..).zip(pages).filter_map(page).flatten().collect()
}

/// A word that was cut at the end of a line is one again.
fn joined(block: Block) -> Block {
    let Block::Text(text) = block else { return block };
    let mut whole = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        let cut = whole.ends_with('-') && line.starts_with(char::is_lowercase);
        if cut {
            whole.pop();
        } else if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(line);
    }
    Block::Text(whole)
}
