//! Markdown, as far as its headings go; the rest is text that people write and models read as it stands.

use super::{Block, text};

/// Headings by `#` or underlined; what stands between fences is text, whatever it looks like.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let (title, text) = front_matter(text);
    let mut blocks: Vec<Block> = Vec::new();
    let mut section: Vec<&str> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let bare = line.trim();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark)) {
            fence = if fence == Some(mark) { None } else { fence.or(Some(mark)) };
        }
        let is_text = fence.is_some() || bare.starts_with("```") || bare.starts_with("~~~");
        if let Some(heading) = hashed(bare).filter(|_| !is_text) {
            end(&mut blocks, &mut section);
            blocks.push(heading);
        } else if let Some(level) = underline(bare).filter(|_| !is_text && is_line(section.last().copied())) {
            let heading = section.pop().unwrap_or_default().trim().to_owned();
            end(&mut blocks, &mut section);
            blocks.push(Block::Heading { level, text: heading });
        } else {
            section.push(line);
        }
    }
    end(&mut blocks, &mut section);
    let has_title = matches!(blocks.first(), Some(Block::Heading { level: 1, .. }));
    let title = title.filter(|_| !has_title).map(|text| Block::Heading { level: 1, text });
    title.into_iter().chain(blocks).collect()
}

fn end(blocks: &mut Vec<Block>, section: &mut Vec<&str>) {
    blocks.extend(text::blocks(&section.join("\n")));
    section.clear();
}

fn hashed(line: &str) -> Option<Block> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &line[level..];
    if !(1..=6).contains(&level) || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let text = rest.trim().trim_end_matches('#').trim_end().to_owned();
    Some(Block::Heading { level: u8::try_from(level).unwrap_or(6), text })
}

fn underline(line: &str) -> Option<u8> {
    let all = |mark: char| line.len() >= 3 && line.chars().all(|c| c == mark);
    if all('=') { Some(1) } else { all('-').then_some(2) }
}

/// A line of a paragraph: neither a list's nor a quotation's nor a table's.
fn is_line(line: Option<&str>) -> bool {
    line.map(str::trim).is_some_and(|line| !line.is_empty() && !line.starts_with(['-', '*', '+', '>', '|']))
}

/// What tools keep above the text between lines of `---`: only its title is for readers.
fn front_matter(text: &str) -> (Option<String>, &str) {
    let inside = text.strip_prefix("---").filter(|rest| rest.starts_with(['\n', '\r']));
    let Some((head, rest)) = inside.and_then(|rest| rest.split_once("\n---")) else { return (None, text) };
    let (end, body) = rest.split_once('\n').unwrap_or((rest, ""));
    if !end.trim().is_empty() {
        return (None, text);
    }
    let title = head.lines().find_map(|line| line.strip_prefix("title:"));
    let title = title.map(|title| title.trim().trim_matches(['"', '\'']).to_owned());
    (title.filter(|title| !title.is_empty()), body)
}
