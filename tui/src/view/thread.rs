//! The chat: who has it, how long the window is open, and what was said.

use baton_shared::{
    Control,
    content::MediaState,
    message::{Author, Delivery},
};
use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
};

use super::pen::{Part, Pen, fixed, width, words};
use crate::{
    keys::Action,
    state::{
        Mode, Pane, State,
        known::{Conversation, Milestone, Said},
        layout::ChatLayout,
        thread::{Entry, Manner, Shape, Thread, is_ours},
        urgency,
    },
    text::{Anchor, Clean, Laid, Part as Seen},
    words as say,
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, layout: &ChatLayout) {
    let focused = state.focus == Pane::Chat || state.mode == Mode::Compose;
    let theme = pen.theme;
    let title = if focused { theme.accent } else { theme.muted };
    let mut left = vec![(fixed("2 Chat"), title)];
    if state.zoom {
        let key = state.given.keymap.hint(Action::Zoom).unwrap_or_default();
        left.push((words(format!(" (zoomed, {key})")), theme.faint));
    }
    pen.frame(layout.frame, focused, &left, &position(pen, state));
    let Some(row) = state.open_row() else { return nothing_open(pen, state, layout) };
    head(pen, state, layout.head, row);
    // Where the window is closed, that is why, and stands above it.
    let others = others(pen, state, row);
    let most = usize::from(layout.frame.width.saturating_sub(width(&others) + 10));
    let held: Vec<Part> = held(pen, state, most).filter(|_| row.window.is_open(state.now)).into_iter().collect();
    pen.divide(layout.frame, layout.head.bottom(), focused, &others, &held);
    match state.open_thread() {
        Some(thread) => messages(pen, state, layout.thread, thread),
        None => {
            let loading = words(format!("loading{}", theme.glyphs.ellipsis));
            pen.centered(layout.thread, layout.thread.y + layout.thread.height / 2, &loading, theme.faint);
        }
    }
}

fn nothing_open(pen: &mut Pen<'_>, state: &State, layout: &ChatLayout) {
    let theme = pen.theme;
    let middle = layout.frame.y + layout.frame.height / 3;
    let hint = |action| state.given.keymap.hint(action).unwrap_or_default();
    let lines = [
        (fixed("No conversation is open."), theme.muted),
        (words(format!("{} opens the most urgent one.", hint(Action::Urgent))), theme.faint),
    ];
    for ((text, style), y) in lines.iter().zip(middle..layout.frame.bottom().saturating_sub(1)) {
        pen.centered(layout.frame, y, text, *style);
    }
}

/// Where in the thread one is, unless at its end.
fn position(pen: &Pen<'_>, state: &State) -> Vec<Part> {
    let Some(thread) = state.open_thread() else { return Vec::new() };
    if thread.loading {
        return vec![(words(format!("loading older{}", pen.theme.glyphs.ellipsis)), pen.theme.muted)];
    }
    if thread.anchor == Anchor::Bottom {
        return Vec::new();
    }
    let key = state.given.keymap.hint(Action::Bottom).unwrap_or_default();
    let unread = state.open_row().map_or(0, |row| row.unread);
    let sentence = if unread > 0 { format!("{unread} new below, {key}") } else { format!("more below, {key}") };
    vec![(words(format!("{} {sentence}", pen.theme.glyphs.open)), pen.theme.accent)]
}

fn others(pen: &Pen<'_>, state: &State, row: &Conversation) -> Vec<Part> {
    let mut parts = Vec::new();
    for (name, typing) in state.others_at(row.id).take(3) {
        if !parts.is_empty() {
            parts.push((fixed(", "), pen.theme.muted));
        }
        let does = if typing { "is typing" } else { "is looking" };
        parts.push((words(format!("{name} {does}")), pen.theme.peer));
    }
    parts
}

fn head(pen: &mut Pen<'_>, state: &State, area: Rect, row: &Conversation) {
    let theme = pen.theme;
    let name = theme.fg.add_modifier(Modifier::BOLD);
    let left = [(row.customer.clone(), name), (fixed("  "), theme.fg), (row.handle.clone(), theme.muted)];
    pen.ends(area, area.y, &left, &[(row.channel.clone(), theme.faint)]);
    let owner = owner(pen, state, row);
    pen.ends(area, area.y + 1, &owner, &window(pen, state, row));
}

/// Who has the next word; always in the same place.
fn owner(pen: &Pen<'_>, state: &State, row: &Conversation) -> Vec<Part> {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let at = |at| say::moment(at, state.now, &state.given.zone);
    let bold = |style: Style| style.add_modifier(Modifier::BOLD);
    if state.commands.is_pending(row.id, |act| matches!(act, baton_shared::protocol::Act::Take { .. })) {
        return vec![(words(format!("{} taking over{}", glyphs.sending, glyphs.ellipsis)), theme.you)];
    }
    let (sign, word, style, rest) = match row.control {
        Control::Agent { since, .. } if state.is_mine(row) => {
            (&glyphs.you, "YOURS".to_owned(), theme.you, format!("{} {} bot silent", at(since), glyphs.separator))
        }
        Control::Agent { agent, since } => {
            let name = state.name(agent).as_str().to_uppercase();
            let rest = match row.returns_at {
                Some(returns) => format!("gone, back in {}", say::age(returns.since(state.now))),
                None => format!("has it since {}", at(since)),
            };
            (&glyphs.peer, name, theme.peer, rest)
        }
        Control::Waiting { since } => {
            let since = urgency::needed_since(row).unwrap_or(since);
            let rest = format!("for a person, {}", say::age(state.now.since(since)));
            (&glyphs.waiting, "WAITS".to_owned(), theme.urgent, rest)
        }
        Control::Bot if row.bot_busy => {
            (&glyphs.bot, "BOT".to_owned(), theme.bot, format!("is answering{}", glyphs.ellipsis))
        }
        Control::Bot => (&glyphs.bot, "BOT".to_owned(), theme.bot, "answers".to_owned()),
        Control::Phone { until } => {
            (&glyphs.peer, "PHONE".to_owned(), theme.peer, format!("has it, bot silent until {}", at(until)))
        }
        Control::Elsewhere => (&glyphs.peer, "ELSEWHERE".to_owned(), theme.peer, "another app has it".to_owned()),
        Control::Resolved { at: when } => (&glyphs.yes, "RESOLVED".to_owned(), theme.ok, at(when)),
    };
    vec![(words(format!("{sign} {word} ")), bold(style)), (words(rest), theme.muted)]
}

/// Why words of ours are kept back, as the newest of them says: a switch is off, the number is stopped. At `most` so
/// many cells.
fn held(pen: &Pen<'_>, state: &State, most: usize) -> Option<Part> {
    let problem = state.open_thread()?.held()?.problem.as_ref()?;
    let sentence = problem.as_str().split('.').next().unwrap_or_default();
    let why = sentence.trim_start_matches("Not sent: ").trim_start_matches("Waits: ");
    let held = words(format!("{} held: {why}", pen.theme.glyphs.held));
    Some((held.truncated(most, &pen.theme.glyphs.ellipsis), pen.theme.warn))
}

/// What is left of the customer service window, in words and in eight steps.
fn window(pen: &Pen<'_>, state: &State, row: &Conversation) -> Vec<Part> {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    if !row.window.is_open(state.now) {
        return vec![(fixed("window closed"), theme.danger)];
    }
    let left = row.window.left(state.now);
    let hours = left.as_secs() / 3600;
    let style = match hours {
        0 if left.as_secs() < 600 => theme.danger,
        0 => theme.warn,
        _ => theme.muted,
    };
    let steps = (left.as_secs() * 8).div_ceil(24 * 3600).clamp(1, 8);
    let bar: String =
        (0..8).map(|step| if step < steps { glyphs.step.as_str() } else { glyphs.step_left.as_str() }).collect();
    let bar_style = if hours == 0 { style } else { theme.ok };
    vec![(words(format!("window {} ", say::left(left))), style), (words(bar), bar_style)]
}

fn messages(pen: &mut Pen<'_>, state: &State, area: Rect, thread: &Thread) {
    let manner = state.manner();
    let parts = thread.parts(usize::from(area.height), &manner);
    if parts.is_empty() {
        let style = pen.theme.faint;
        return pen.centered(area, area.y + area.height / 2, &fixed("nothing was said yet"), style);
    }
    // A short thread stands at the bottom, where the next word will be.
    let used = parts.last().map_or(0, |part| part.y + part.rows);
    let unused = area.height.saturating_sub(u16::try_from(used).unwrap_or(u16::MAX));
    for part in parts {
        let y = area.y + unused + u16::try_from(part.y).unwrap_or(u16::MAX);
        if let Some(entry) = thread.entry(part.item) {
            draw_entry(pen, state, thread, &manner, entry, part, Rect { y, ..area });
        }
    }
}

fn draw_entry(
    pen: &mut Pen<'_>,
    state: &State,
    thread: &Thread,
    manner: &Manner,
    entry: &Entry,
    part: Seen,
    mut line: Rect,
) {
    let shape = thread.shape(part.item, manner);
    line.height = 1;
    for row in part.skip..part.skip + part.rows {
        match line_of(shape, row) {
            Line::Day => {
                let day = words(say::day(manner.day(entry.at())));
                let style = pen.theme.faint;
                pen.centered(line, line.y, &day, style);
            }
            Line::Unread => unread(pen, state, line),
            Line::Head => {
                if let Entry::Said(said) = entry {
                    mark_cursor(pen, state, thread, said, line);
                    let quiet = pen.theme.faint_on(is_under_cursor(state, thread, said));
                    head_of(pen, state, manner, said, quiet, line);
                }
            }
            Line::Text(at) => match entry {
                Entry::Said(said) => {
                    mark_cursor(pen, state, thread, said, line);
                    text_of(pen, thread, manner, said, at, line);
                    file_keys(pen, state, thread, manner, said, at, line);
                }
                Entry::Milestone(milestone) => milestone_of(pen, state, milestone, line),
            },
            Line::Problem(at) => {
                if let Entry::Said(said) = entry {
                    mark_cursor(pen, state, thread, said, line);
                    problem_of(pen, thread, manner, said, at, line);
                }
            }
        }
        line.y += 1;
    }
}

/// What a row of an entry shows.
enum Line {
    Day,
    Unread,
    Head,
    Text(usize),
    Problem(usize),
}

fn line_of(shape: Shape, row: usize) -> Line {
    let mut row = row;
    for (is_there, line) in [(shape.day, Line::Day), (shape.unread, Line::Unread), (shape.head, Line::Head)] {
        if is_there {
            if row == 0 {
                return line;
            }
            row -= 1;
        }
    }
    if row < shape.text { Line::Text(row) } else { Line::Problem(row - shape.text) }
}

fn mark_cursor(pen: &mut Pen<'_>, state: &State, thread: &Thread, said: &Said, line: Rect) {
    if is_under_cursor(state, thread, said) {
        pen.fill(line, pen.theme.selected);
    }
}

fn is_under_cursor(state: &State, thread: &Thread, said: &Said) -> bool {
    thread.cursor == Some(said.id) && state.focus == Pane::Chat && state.mode == Mode::Normal
}

fn unread(pen: &mut Pen<'_>, state: &State, line: Rect) {
    let theme = pen.theme;
    let count = state.open_row().map_or(0, |row| row.unread);
    let text = if count > 0 { words(format!("{count} new")) } else { fixed("new") };
    pen.ruled(line, line.y, &text, &theme.glyphs.dashes, theme.accent, theme.accent);
}

fn milestone_of(pen: &mut Pen<'_>, state: &State, milestone: &Milestone, line: Rect) {
    let theme = pen.theme;
    let who = milestone
        .agent
        .map(|agent| if Some(agent) == state.my_id() { "you".to_owned() } else { state.name(agent).to_string() });
    // That it was a transfer or an assignment is for the audit.
    let has_detail = milestone.kind.as_str() != "assigned";
    let detail = milestone.detail.as_ref().map(Clean::as_str).filter(|_| has_detail);
    let sentence = say::milestone(milestone.kind.as_str(), who.as_deref(), detail);
    let at = say::clock(milestone.at, &state.given.zone);
    let text = words(format!("{sentence} {} {at}", theme.glyphs.separator));
    let style = if milestone.kind.as_str() == "escalated" { theme.urgent } else { theme.muted };
    pen.ruled(line, line.y, &text, &theme.glyphs.rule, style, theme.faint);
}

/// Sign, name and style of who said it.
fn speaker(pen: &Pen<'_>, state: &State, said: &Said) -> (Clean, Clean, Style) {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let by_me = said.agent.is_some() && said.agent == state.my_id();
    let agent = said.agent.map_or(fixed("a colleague"), |agent| state.name(agent));
    match said.author {
        Author::Customer => {
            let name = state.open_row().map_or(fixed("customer"), |row| row.customer.clone());
            (glyphs.customer.clone(), name, theme.customer)
        }
        Author::Bot => (glyphs.bot.clone(), fixed("bot"), theme.bot),
        Author::Agent if by_me => (glyphs.you.clone(), fixed("you"), theme.you),
        Author::Agent => (glyphs.peer.clone(), agent, theme.peer),
        Author::Phone => (glyphs.peer.clone(), fixed("on the phone"), theme.peer),
        Author::System => (glyphs.system.clone(), fixed("automatic"), theme.muted),
        Author::Note if by_me => (glyphs.note.clone(), fixed("your note"), theme.warn),
        Author::Note => (glyphs.note.clone(), words(format!("{agent}, note")), theme.warn),
    }
}

fn head_of(pen: &mut Pen<'_>, state: &State, manner: &Manner, said: &Said, quiet: Style, line: Rect) {
    let theme = pen.theme;
    let (sign, name, style) = speaker(pen, state, said);
    let bold = style.add_modifier(Modifier::BOLD);
    let mut left = vec![(words(format!("{sign} ")), style), (name, bold)];
    if said.author == Author::Note {
        left.push((fixed("  colleagues only"), quiet));
    }
    if said.late {
        left.push((fixed("  arrived late"), theme.warn));
    }
    left.extend(said.marks.iter().map(|mark| (words(format!("  {mark}")), quiet)));
    if said.text.hidden_marks() > 0 {
        left.push((words(format!("  [hidden marks {}]", said.text.hidden_marks())), theme.warn));
    }
    if said.text.was_cut() {
        left.push((fixed("  [cut]"), theme.warn));
    }
    let mut right = vec![(words(say::clock(said.at, &state.given.zone)), quiet)];
    if let Some((text, style)) = delivery_of(pen, state, said) {
        right.extend([(fixed(" "), quiet), (text, style)]);
    }
    pen.ends(indented(line, manner, said), line.y, &left, &right);
}

fn delivery_of(pen: &Pen<'_>, state: &State, said: &Said) -> Option<Part> {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    if said.pending {
        let text = if state.line.is_connected() { "sending" } else { "not sent yet" };
        return Some((words(format!("{} {text}", glyphs.queued)), theme.warn));
    }
    let (text, style) = ticks(pen, said.delivery?);
    if said.sent_again {
        return Some((words(format!("{text}, sent again")), theme.muted));
    }
    Some((text, style))
}

/// How far a message has come: a sign, and a word where the sign alone could be misread.
pub(super) fn ticks(pen: &Pen<'_>, delivery: Delivery) -> Part {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let with = |sign: &Clean, word: &str| words(format!("{sign} {word}"));
    match delivery {
        Delivery::Queued => (with(&glyphs.queued, "queued"), theme.muted),
        Delivery::Sending => (with(&glyphs.sending, "sending"), theme.muted),
        Delivery::Accepted | Delivery::Sent => (glyphs.accepted.clone(), theme.muted),
        Delivery::Delivered => (glyphs.delivered.clone(), theme.muted),
        Delivery::Read => (with(&glyphs.delivered, "read"), theme.read),
        Delivery::Played => (with(&glyphs.delivered, "played"), theme.read),
        Delivery::Held => (with(&glyphs.held, "held"), theme.warn),
        Delivery::Cancelled => (with(&glyphs.held, "not sent"), theme.muted),
        Delivery::Failed => (with(&glyphs.failed, "failed"), theme.danger),
        Delivery::Unknown => (with(&glyphs.unknown, "may not have arrived"), theme.warn),
    }
}

fn text_of(pen: &mut Pen<'_>, thread: &Thread, manner: &Manner, said: &Said, at: usize, line: Rect) {
    let theme = pen.theme;
    let area = indented(line, manner, said);
    let stem = match said.author {
        Author::Customer => theme.faint,
        Author::Bot => theme.bot,
        Author::Agent => theme.you,
        Author::Phone => theme.peer,
        Author::System => theme.muted,
        Author::Note => theme.warn,
    };
    pen.text(area.x + 1, line.y, 1, &theme.glyphs.stem, stem);
    let is_quiet = said.author == Author::System || said.delivery == Some(Delivery::Cancelled) || said.pending;
    let style = if is_quiet { theme.muted } else { theme.fg };
    thread.with_laid(said, manner, |laid| {
        pen.row(area.x + 3, line.y, area.width.saturating_sub(4), laid, at, style);
    });
}

/// What can be done with a file, at the end of the row that names it if there is room.
fn file_keys(pen: &mut Pen<'_>, state: &State, thread: &Thread, manner: &Manner, said: &Said, at: usize, line: Rect) {
    let Some(file) = said.file.as_ref().filter(|file| file.state == Some(MediaState::Stored)) else { return };
    let area = indented(line, manner, said);
    let names_it = |laid: &Laid| {
        let row = laid.rows().get(at)?;
        let before = laid.text().as_str().get(..row.start)?;
        let is_start = before.is_empty() || before.ends_with('\n');
        (is_start && before.matches('\n').count() == file.line).then_some(row.width)
    };
    let Some(used) = thread.with_laid(said, manner, names_it) else { return };
    let room = usize::from(area.width).saturating_sub(used + 6);
    let quiet = pen.theme.faint_on(is_under_cursor(state, thread, said));
    let preview = file.thumbnail.then_some((Action::Preview, "preview"));
    let both = preview.into_iter().chain([(Action::OpenFile, "open")]);
    let hints = both.filter_map(|(action, does)| Some(format!("{} {does}", state.given.keymap.hint(action)?)));
    let mut hints: Vec<String> = hints.collect();
    while hints.join("  ").len() > room {
        hints.pop();
    }
    pen.parts_right(area.x, area.right().saturating_sub(1), line.y, &[(words(hints.join("  ")), quiet)]);
}

fn problem_of(pen: &mut Pen<'_>, thread: &Thread, manner: &Manner, said: &Said, at: usize, line: Rect) {
    let Some(problem) = &said.problem else { return };
    let area = indented(line, manner, said);
    let theme = pen.theme;
    if at == 0 {
        pen.text(area.x + 1, line.y, 2, &theme.glyphs.reply, theme.danger);
    }
    let laid = thread.laid_problem(problem, manner);
    pen.row(area.x + 4, line.y, area.width.saturating_sub(5), &laid, at, theme.danger);
}

/// Ours stands further right.
fn indented(line: Rect, manner: &Manner, said: &Said) -> Rect {
    let indent = if is_ours(said.author) { u16::try_from(manner.indent()).unwrap_or(0) } else { 0 };
    Rect { x: line.x + indent, width: line.width.saturating_sub(indent), ..line }
}
