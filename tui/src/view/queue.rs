//! The queue: sections, and two lines for every conversation.

use baton_shared::{
    Control,
    message::{Author, Delivery},
};
use ratatui::{layout::Rect, style::Style};

use super::{
    header::separator,
    pen::{Part, Pen, fixed, width, words},
};
use crate::{
    keys::Action,
    local::Slot,
    state::{
        Mode, Pane, State,
        known::{self, Conversation},
        layout::QueueLayout,
        queue::Item,
        thread::is_trouble,
        urgency::{Section, Standing, Urgency, needed_since},
    },
    text::Clean,
    words as say,
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, layout: &QueueLayout) {
    let focused = state.focus == Pane::Queue && state.mode != Mode::Compose;
    let theme = pen.theme;
    let waiting = state.queue.total(Section::Now) + state.queue.total(Section::Waiting);
    let title = if focused { theme.accent } else { theme.muted };
    let right = (words(format!("{waiting} waiting")), theme.muted);
    pen.frame(layout.frame, focused, &[(fixed("1 Queue"), title)], &[right]);
    list(pen, state, layout.list, focused);
    foot(pen, state, layout.foot);
}

fn list(pen: &mut Pen<'_>, state: &State, area: Rect, focused: bool) {
    if state.queue.items().is_empty() {
        return nobody(pen, state, area);
    }
    let mut y = area.y;
    for item in &state.queue.items()[state.queue.top..] {
        let height = u16::try_from(item.height()).unwrap_or(1);
        if y + height > area.bottom() {
            break;
        }
        let line = Rect { y, height, ..area };
        let is_selected = state.queue.selected == Some(*item);
        if is_selected {
            pen.fill(line, if focused { pen.theme.selected } else { pen.theme.raised });
            pen.text(line.x + 1, y, 1, &pen.theme.glyphs.cursor.clone(), pen.theme.accent);
        }
        match item {
            Item::Section(section) => title(pen, state, line, *section),
            Item::Row(id) => {
                if let Some(row) = state.queue.get(*id) {
                    conversation(pen, state, line, row, is_selected && focused);
                }
            }
        }
        y += height;
    }
}

fn nobody(pen: &mut Pen<'_>, state: &State, area: Rect) {
    let sentence = match (state.me.is_some(), state.queue.filter.is_empty()) {
        (_, false) => fixed("nothing matches"),
        (true, true) if state.is_admin() => fixed("admins see no customers"),
        (true, true) => fixed("nobody waits"),
        (false, true) => fixed(""),
    };
    let style = pen.theme.faint;
    pen.centered(area, area.y + area.height / 3, &sentence, style);
}

fn title(pen: &mut Pen<'_>, state: &State, line: Rect, section: Section) {
    let theme = pen.theme;
    let sign = if state.queue.is_folded(section) { &theme.glyphs.closed } else { &theme.glyphs.open };
    let style = match section {
        Section::Now => theme.urgent,
        Section::Mine => theme.you,
        Section::Waiting | Section::Team | Section::Bot | Section::Elsewhere | Section::Resolved => theme.muted,
    };
    // The cursor of a folded section stands where its sign is otherwise.
    let is_selected = state.queue.selected == Some(Item::Section(section));
    let mut left = Vec::new();
    if !is_selected {
        left.push((words(format!("{sign} ")), theme.faint));
    } else {
        left.push((fixed("  "), theme.faint));
    }
    left.push((fixed(name(section)), style));
    let mut right = vec![(words(state.queue.count(section).to_string()), theme.muted)];
    let elsewhere = state.queue.mine().saturating_sub(state.queue.count(section));
    if section == Section::Mine && elsewhere > 0 && state.queue.filter.is_empty() {
        right.insert(0, (words(format!("{elsewhere} in NOW, ")), theme.faint));
    }
    pen.ends(line, line.y, &left, &right);
    if is_selected {
        pen.text(line.x + 1, line.y, 1, &theme.glyphs.cursor.clone(), theme.accent);
    }
}

const fn name(section: Section) -> &'static str {
    match section {
        Section::Now => "NOW",
        Section::Mine => "MINE",
        Section::Waiting => "WAITING",
        Section::Team => "TEAM",
        Section::Bot => "BOT",
        Section::Elsewhere => "PHONE, ELSEWHERE",
        Section::Resolved => "RESOLVED",
    }
}

fn conversation(pen: &mut Pen<'_>, state: &State, line: Rect, row: &Conversation, on_selection: bool) {
    let theme = pen.theme;
    let standing = state.queue.standing(row, state.now);
    let (sign, sign_style) = sign(pen, state, row, &standing);
    let name_style = if state.open == Some(row.id) { theme.accent } else { theme.fg };
    let name_style = if row.unread > 0 { name_style.add_modifier(ratatui::style::Modifier::BOLD) } else { name_style };
    let inner = Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line };
    let is_ours = matches!(row.control, Control::Waiting { .. } | Control::Agent { .. });
    let proposal = (row.proposals > 0 && is_ours).then(|| (words(format!("{} ", theme.glyphs.bot)), theme.bot));
    let left = [(sign, sign_style), (fixed(" "), theme.fg), (row.customer.clone(), name_style)];
    let mut right: Vec<Part> = proposal.into_iter().collect();
    right.extend(status(pen, state, row, &standing));
    pen.ends(inner, line.y, &left, &right);
    let second = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), ..inner };
    let about = about(pen, state, row, &standing, theme.faint_on(on_selection));
    pen.ends(second, line.y + 1, &about, &[]);
}

/// Who has it, and whether it burns.
pub(super) fn sign(pen: &Pen<'_>, state: &State, row: &Conversation, standing: &Standing) -> (Clean, Style) {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    match (standing.urgency, row.control) {
        (Urgency::Overdue | Urgency::Trouble, _) => (glyphs.flag.clone(), theme.urgent),
        (Urgency::Lost | Urgency::Closing, _) => (glyphs.flag.clone(), theme.warn),
        (Urgency::Calm, Control::Agent { .. }) if state.is_mine(row) => (glyphs.you.clone(), theme.you),
        (Urgency::Calm, Control::Agent { .. }) => (glyphs.peer.clone(), theme.peer),
        (Urgency::Calm, Control::Waiting { .. }) => (glyphs.waiting.clone(), theme.fg),
        (Urgency::Calm, Control::Bot) => (glyphs.bot.clone(), theme.bot),
        (Urgency::Calm, Control::Phone { .. } | Control::Elsewhere) => (glyphs.peer.clone(), theme.muted),
        (Urgency::Calm, Control::Resolved { .. }) => (glyphs.accepted.clone(), theme.faint),
    }
}

/// What to know about it at once, at the right.
fn status(pen: &Pen<'_>, state: &State, row: &Conversation, standing: &Standing) -> Vec<Part> {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let waited = needed_since(row).map(|since| {
        let is_late = standing.urgency == Urgency::Overdue;
        let waited = words(format!("{} {}", glyphs.timer, say::age(state.now.since(since))));
        (waited, if is_late { theme.urgent } else { theme.muted })
    });
    if matches!(row.control, Control::Waiting { .. } | Control::Agent { .. }) && !row.window.is_open(state.now) {
        let closed = (if waited.is_some() { fixed("closed ") } else { fixed("closed") }, theme.warn);
        return [closed].into_iter().chain(waited).collect();
    }
    if standing.urgency == Urgency::Closing {
        return vec![(words(format!("closes {}", say::left(row.window.left(state.now)))), theme.warn)];
    }
    if let Some(back) = row.callback_at.filter(|back| *back > state.now) {
        return vec![(words(format!("back in {}", say::age(back.since(state.now)))), theme.muted)];
    }
    if let Some(waited) = waited {
        return vec![waited];
    }
    vec![match row.control {
        Control::Agent { agent, .. } if !state.is_mine(row) => {
            (state.name(agent).truncated(12, &glyphs.ellipsis), theme.peer)
        }
        Control::Bot if row.bot_busy => (words(format!("answering{}", glyphs.ellipsis)), theme.bot),
        Control::Phone { until } => (words(format!("until {}", say::clock(until, &state.given.zone))), theme.muted),
        Control::Elsewhere => (fixed("another app"), theme.muted),
        Control::Agent { .. } | Control::Waiting { .. } | Control::Bot | Control::Resolved { .. } => {
            tick(pen, state, row)
        }
    }]
}

fn tick(pen: &Pen<'_>, state: &State, row: &Conversation) -> Part {
    let theme = pen.theme;
    match &row.last {
        Some(last) if last.author != Author::Customer => match last.delivery {
            Some(delivery) => {
                let (text, style) = super::thread::ticks(pen, delivery);
                (text, if delivery == Delivery::Read { theme.read } else { style })
            }
            None => (words(say::clock(last.at, &state.given.zone)), theme.faint),
        },
        Some(last) => (words(say::clock(last.at, &state.given.zone)), theme.faint),
        None => (fixed(""), theme.faint),
    }
}

/// Why it is here, and what lies in it.
fn about(pen: &Pen<'_>, state: &State, row: &Conversation, standing: &Standing, quiet: Style) -> Vec<Part> {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let mut parts: Vec<Part> = Vec::new();
    let is_ours = matches!(row.control, Control::Waiting { .. } | Control::Agent { .. });
    if standing.section == Section::Now && state.is_mine(row) {
        parts.push((fixed("yours"), theme.you));
    }
    parts.extend(troubles(pen, state, row));
    if state.composers.get(&row.id).is_some_and(|composer| !composer.is_empty(Slot::Reply)) {
        parts.push((words(format!("{} draft", glyphs.note)), theme.warn));
    }
    if let Some(at) = row.returns_at {
        let left = say::age(at.since(state.now));
        parts.push((words(format!("owner gone, back in {left}")), theme.warn));
    }
    parts.extend(row.reason.clone().filter(|_| is_ours).map(|reason| (reason, quiet)));
    if row.unread > 1 {
        parts.push((words(format!("{} new", row.unread)), quiet));
    }
    parts.extend(state.others_at(row.id).take(1).map(|(name, typing)| {
        let does = if typing { "types" } else { "looks" };
        (words(format!("{} {does}", first(&name))), theme.peer)
    }));
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        if !joined.is_empty() {
            joined.push((separator(pen).0, quiet));
        }
        joined.push(part);
    }
    // What was said last, where there is room for some of it.
    if let Some(last) = row.last.as_ref().filter(|last| !last.text.is_empty() && width(&joined) < 20) {
        if !joined.is_empty() {
            joined.push((separator(pen).0, quiet));
        }
        joined.push((last.text.clone(), quiet));
    }
    joined
}

/// What is the matter with our messages there: first those that need a person, then those that are kept back. That
/// nobody knows of one is not that it was not sent.
fn troubles(pen: &Pen<'_>, state: &State, row: &Conversation) -> Vec<Part> {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let said = |sign: &Clean, number: i64, what: &str| words(format!("{sign} {number} {what}"));
    let open = row.troubles - row.held;
    let needy = (open > 0).then(|| match trouble_of(state, row) {
        Some(Delivery::Failed) => (said(&glyphs.failed, open, "not sent"), theme.danger),
        Some(Delivery::Unknown) => (said(&glyphs.unknown, open, "may not have arrived"), theme.danger),
        Some(_) | None => (said(&glyphs.flag, open, "to look at"), theme.danger),
    });
    let held = (row.held > 0).then(|| (said(&glyphs.held, row.held, "held"), theme.warn));
    needy.into_iter().chain(held).collect()
}

/// The worst that is known: from the thread if that is here, else from what the row tells.
fn trouble_of(state: &State, row: &Conversation) -> Option<Delivery> {
    let needs_person = |delivery: &Delivery| is_trouble(*delivery) && *delivery != Delivery::Held;
    let of_thread = state.threads.get(&row.id).and_then(|thread| thread.worst()).filter(needs_person);
    let of_last = row.last.as_ref().and_then(|last| last.delivery).filter(needs_person);
    of_thread.or(of_last).or_else(|| match row.reason.as_ref()?.as_str() {
        known::UNSETTLED => Some(Delivery::Unknown),
        known::FAILED => Some(Delivery::Failed),
        _ => None,
    })
}

fn first(name: &Clean) -> &str {
    name.as_str().split(' ').next().unwrap_or_default()
}

fn foot(pen: &mut Pen<'_>, state: &State, line: Rect) {
    let theme = pen.theme;
    if state.mode == Mode::Filter || !state.queue.filter.is_empty() {
        let typed = words(format!("/{}", state.queue.filter));
        let end = pen.text(line.x + 1, line.y, line.width.saturating_sub(2), &typed, theme.accent);
        if state.mode == Mode::Filter {
            pen.caret = Some((end.min(line.right().saturating_sub(1)), line.y).into());
        }
        return;
    }
    let new = state.queue.new_above();
    if new > 0 {
        let key = state.given.keymap.hint(Action::Top).unwrap_or_default();
        let sentence = words(format!("{} {new} new above {} {key}", theme.glyphs.up, theme.glyphs.separator));
        pen.text(line.x + 1, line.y, line.width.saturating_sub(2), &sentence, theme.accent);
    } else if !state.queue.is_empty() {
        let keymap = &state.given.keymap;
        let hint = |action: Action| keymap.hint(action).unwrap_or_default();
        let (down, up, open, filter) = (hint(Action::Down), hint(Action::Up), hint(Action::Open), hint(Action::Filter));
        let sep = &theme.glyphs.separator;
        let sentence = words(format!("{down}/{up} move {sep} {open} open {sep} {filter} filter"));
        pen.text(line.x + 1, line.y, line.width.saturating_sub(2), &sentence, theme.faint);
    }
}
