//! The first line: where, who, how many, and whether what is seen is the present.

use ratatui::layout::Rect;

use super::pen::{Part, Pen, fixed, words};
use crate::{
    state::{
        State,
        known::Conversation,
        line::Phase,
        queue::Item,
        urgency::{Section, Urgency, needed_since},
    },
    text::Clean,
    words as say,
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, row: Rect) {
    let theme = pen.theme;
    pen.fill(row, theme.raised);
    let is_wide = row.width >= 100;
    let gap = || (if is_wide { fixed("   ") } else { fixed("  ") }, theme.fg);
    let label = if state.given.is_production { theme.prod } else { theme.accent };
    let mut left = vec![
        (fixed("baton "), theme.fg),
        (theme.glyphs.closed.clone(), theme.faint),
        (fixed(" "), theme.fg),
        (state.given.label.clone(), label),
    ];
    if let Some(me) = &state.me {
        left.extend([gap(), (me.name.clone(), theme.you)]);
    }
    left.push(gap());
    left.extend(counts(pen, state, row.width));
    let mut right = unsent(pen, state);
    right.extend(line(pen, state));
    right.extend([separator(pen), (words(say::clock(state.now, &state.given.zone)), theme.fg)]);
    pen.ends(row, row.y, &left, &right);
}

/// The same numbers as the queue's: who waits for whoever looks, and how many of them cannot.
fn counts(pen: &Pen<'_>, state: &State, width: u16) -> Vec<Part> {
    let theme = pen.theme;
    let now = state.queue.total(Section::Now);
    let waiting = now + state.queue.total(Section::Waiting);
    let word = if width >= 100 { "waiting" } else { "wait" };
    let is_small = width < 72;
    let mut parts = Vec::new();
    if !is_small {
        parts.extend([(words(format!("mine {}", state.queue.mine())), theme.muted), separator(pen)]);
    }
    parts.push((words(format!("{word} {waiting}")), theme.muted));
    if now > 0 {
        let urgent = if is_small { "now" } else { "urgent" };
        parts.push((words(format!(" ({now} {urgent})")), theme.urgent));
    }
    parts
}

fn unsent(pen: &Pen<'_>, state: &State) -> Vec<Part> {
    let unsent = state.commands.unsent();
    if unsent == 0 || (state.line.is_live(state.now) && unsent == 1) {
        // One on its way over a good line is answered before it could be read.
        return Vec::new();
    }
    let style = if state.line.is_connected() { pen.theme.muted } else { pen.theme.warn };
    vec![(words(format!("{} {unsent} unsent", pen.theme.glyphs.sending)), style), separator(pen)]
}

/// How the line stands.
fn line(pen: &Pen<'_>, state: &State) -> Vec<Part> {
    let theme = pen.theme;
    let tries = state.line.tries;
    let part = match &state.line.phase {
        Phase::Live if state.line.is_live(state.now) => {
            let millis = state.line.round_trip.map(|length| length.as_millis());
            let live = millis.map_or("live".to_owned(), |millis| format!("live {millis} ms"));
            (words(live), theme.ok)
        }
        Phase::Live | Phase::CatchingUp => (words(format!("catching up{}", theme.glyphs.ellipsis)), theme.warn),
        Phase::Connecting if tries <= 1 => (words(format!("connecting{}", theme.glyphs.ellipsis)), theme.warn),
        Phase::Connecting => (words(format!("{} reconnecting (try {tries})", theme.glyphs.sending)), theme.warn),
        Phase::Waiting { until } => {
            let seconds = until.since(state.now).as_secs() + 1;
            (words(format!("{} offline, again in {seconds} s", theme.glyphs.failed)), theme.danger)
        }
        Phase::Stopped { .. } => (words(format!("{} stopped", theme.glyphs.failed)), theme.danger),
    };
    vec![part]
}

/// Who needs somebody, in one line, where the queue is not beside the chat.
pub(super) fn ticker(pen: &mut Pen<'_>, state: &State, row: Rect) {
    let theme = pen.theme;
    let rows = state.queue.items().iter().filter_map(|item| match item {
        Item::Row(id) => state.queue.get(*id),
        Item::Section(_) => None,
    });
    let mut left: Vec<Part> = Vec::new();
    for row in rows.filter(|row| Some(row.id) != state.open && needed_since(row).is_some()).take(5) {
        if !left.is_empty() {
            left.push(separator(pen));
        }
        left.extend(short(pen, state, row));
    }
    if left.is_empty() {
        let open = usize::from(state.open.is_some_and(|id| state.queue.needs_somebody(id)));
        left.push(match state.queue.needing() - open {
            0 => (fixed(state.empty_queue()), theme.faint),
            // A filter or a fold hides them, and only from the list.
            others => (words(format!("{} {others} waiting", theme.glyphs.waiting)), theme.muted),
        });
    }
    let key = state.given.keymap.hint(crate::keys::Action::NextPane).unwrap_or_default();
    let next = match state.focus {
        crate::state::Pane::Queue if state.open.is_none() => return pen.ends(row, row.y, &left, &[]),
        crate::state::Pane::Queue => "chat",
        crate::state::Pane::Chat => "context",
        crate::state::Pane::Context => "queue",
    };
    pen.ends(row, row.y, &left, &[(words(format!("{key} {next}")), theme.faint)]);
}

fn short(pen: &Pen<'_>, state: &State, row: &Conversation) -> Vec<Part> {
    let theme = pen.theme;
    let name = row.customer.as_str().split(' ').next().unwrap_or_default();
    let name = Clean::line(name).truncated(12, &theme.glyphs.ellipsis);
    let standing = state.queue.standing(row, state.now);
    let (sign, style) = super::queue::sign(pen, state, row, &standing);
    let about = match standing.urgency {
        Urgency::Closing => format!("closes {}", say::left(row.window.left(state.now))),
        _ => say::age(state.now.since(needed_since(row).unwrap_or(row.updated_at))),
    };
    let style = if standing.urgency == Urgency::Calm && !state.is_mine(row) { theme.muted } else { style };
    vec![(words(format!("{sign} {name} {about}")), style)]
}

/// Between two things of one line.
pub(super) fn separator(pen: &Pen<'_>) -> Part {
    (words(format!(" {} ", pen.theme.glyphs.separator)), pen.theme.faint)
}
