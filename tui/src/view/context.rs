//! The context: why needs a person, what the bot knows, what happened before.

use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
};

use super::pen::{Part, Pen, fixed, words};
use crate::{
    keys::Action,
    state::{Mode, Pane, State, known::Handoff, thread::Thread},
    text::{Clean, wrap},
    words as say,
};

/// Notes and earlier handoffs that are shown.
const SHOWN: usize = 5;

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, area: Rect) {
    let focused = state.focus == Pane::Context && state.mode == Mode::Normal;
    let style = if focused { pen.theme.accent } else { pen.theme.muted };
    pen.frame(area, focused, &[(fixed("3 Context"), style)], &[]);
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    };
    lines_in(pen, state, inner, state.context_scroll);
}

/// The same without a frame, for the overlay.
pub(super) fn lines_in(pen: &mut Pen<'_>, state: &State, area: Rect, scroll: usize) {
    let lines = lines(pen, state, usize::from(area.width.max(1)));
    let scroll = scroll.min(lines.len().saturating_sub(usize::from(area.height)));
    for (line, y) in lines.iter().skip(scroll).zip(area.y..area.bottom()) {
        pen.parts(area.x, y, area.width, line);
    }
}

fn lines(pen: &Pen<'_>, state: &State, width: usize) -> Vec<Vec<Part>> {
    let Some(row) = state.open_row() else { return Vec::new() };
    let theme = pen.theme;
    let mut page = Page { width, lines: Vec::new(), title: theme.muted, open: theme.glyphs.open.clone() };
    page.text(&row.customer, theme.fg.add_modifier(Modifier::BOLD));
    page.text(&row.handle, theme.muted);
    page.text(&words(format!("via {}", row.channel)), theme.faint);
    let Some(thread) = state.open_thread() else { return page.lines };
    if let Some(at) = thread.card.blocked_at {
        let at = say::moment(at, state.now, &state.given.zone);
        page.text(&words(format!("blocked since {at}: no answer is owed")), theme.warn);
    }
    let (open, closed): (Vec<&Handoff>, Vec<&Handoff>) =
        thread.card.handoffs.iter().partition(|handoff| handoff.closed_at.is_none());
    if let Some(handoff) = open.first() {
        page.section("Why a person");
        page.text(&handoff.reason, theme.urgent);
        let at = say::moment(handoff.opened_at, state.now, &state.given.zone);
        page.text(&words(format!("since {at}")), theme.faint);
        if !handoff.summary.is_empty() {
            page.section("Bot's summary");
            page.text(&handoff.summary, theme.fg);
        }
    }
    promises(&mut page, pen, thread);
    notes(&mut page, pen, state, thread);
    before(&mut page, pen, state, &closed);
    window(&mut page, pen, state);
    remembered(&mut page, pen, thread);
    free_entry(&mut page, pen, state, thread);
    marketing(&mut page, pen, state, thread);
    page.lines
}

fn promises(page: &mut Page, pen: &Pen<'_>, thread: &Thread) {
    let promised: Vec<&Clean> = thread.card.handoffs.iter().filter_map(|handoff| handoff.promised.as_ref()).collect();
    if promised.is_empty() {
        return;
    }
    page.section("Promised");
    for promise in promised.into_iter().take(SHOWN) {
        page.text(promise, pen.theme.fg);
    }
}

fn notes(page: &mut Page, pen: &Pen<'_>, state: &State, thread: &Thread) {
    use baton_shared::message::Author;
    let notes: Vec<_> =
        thread.messages().rev().take(500).filter(|said| said.author == Author::Note).take(SHOWN).collect();
    if notes.is_empty() {
        return;
    }
    page.section("Notes");
    for note in notes {
        let who = note.agent.map_or(fixed("somebody"), |agent| state.name(agent));
        let at = say::moment(note.at, state.now, &state.given.zone);
        page.text(&words(format!("{} {who} {at}", pen.theme.glyphs.note)), pen.theme.muted);
        page.text(&note.text, pen.theme.fg);
    }
}

fn before(page: &mut Page, pen: &Pen<'_>, state: &State, closed: &[&Handoff]) {
    if closed.is_empty() {
        return;
    }
    page.section("Before");
    for handoff in closed.iter().take(SHOWN) {
        let at = say::date(handoff.opened_at, &state.given.zone).strftime("%-d %b").to_string();
        let who = handoff.agent.map_or(fixed("nobody"), |agent| state.name(agent));
        page.text(&words(format!("{at} {who}")), pen.theme.muted);
        let sep = &pen.theme.glyphs.separator;
        let outcome = handoff.outcome.as_ref().map(|outcome| format!(" {sep} {outcome}")).unwrap_or_default();
        page.text(&words(format!("{}{outcome}", handoff.reason)), pen.theme.fg);
        if let Some(note) = &handoff.note {
            page.text(note, pen.theme.muted);
        }
    }
}

fn window(page: &mut Page, pen: &Pen<'_>, state: &State) {
    let Some(row) = state.open_row() else { return };
    page.section("Window");
    let Some(closes_at) = row.window.closes_at else {
        return page.text(&fixed("the customer has never written"), pen.theme.warn);
    };
    let at = say::moment(closes_at, state.now, &state.given.zone);
    let key = state.given.keymap.hint(Action::Template).unwrap_or_default();
    let template = format!("{key} sends a template all the same");
    if row.window.is_open(state.now) {
        page.text(&words(format!("open until {at}")), pen.theme.fg);
    } else if row.window.overruled {
        page.text(&words(format!("closed, says WhatsApp, until the customer writes; {template}")), pen.theme.warn);
    } else {
        page.text(&words(format!("closed since {at}; it opens when the customer writes; {template}")), pen.theme.warn);
    }
}

fn remembered(page: &mut Page, pen: &Pen<'_>, thread: &Thread) {
    if thread.card.facts.is_empty() {
        return;
    }
    page.section("Remembered");
    for (key, value) in thread.card.facts.iter().take(SHOWN) {
        page.text(&words(format!("{key}: {value}")), pen.theme.fg);
    }
}

/// As WhatsApp's prices said last; how long it lasts is not ours to guess.
fn free_entry(page: &mut Page, pen: &Pen<'_>, state: &State, thread: &Thread) {
    let Some(free) = thread.card.free_entry.filter(|free| free.until.is_none_or(|until| until > state.now)) else {
        return;
    };
    page.section("Price");
    let text = match free.until {
        Some(until) => {
            format!("an advertisement began this: free until {}", say::moment(until, state.now, &state.given.zone))
        }
        None => format!(
            "an advertisement began this: free, said WhatsApp at {}",
            say::moment(free.at, state.now, &state.given.zone)
        ),
    };
    page.text(&words(text), pen.theme.ok);
}

fn marketing(page: &mut Page, pen: &Pen<'_>, state: &State, thread: &Thread) {
    let Some(consent) = thread.card.marketing else { return };
    page.section("Marketing");
    let at = say::moment(consent.at, state.now, &state.given.zone);
    let by =
        consent.agent.map_or(fixed("says the customer"), |agent| words(format!("recorded by {}", state.name(agent))));
    let (what, style) = if consent.granted { ("welcome", pen.theme.fg) } else { ("not wanted", pen.theme.warn) };
    page.text(&words(format!("{what} since {at}, {by}")), style);
}

/// Lines of a column.
struct Page {
    width: usize,
    lines: Vec<Vec<Part>>,
    title: Style,
    open: Clean,
}

impl Page {
    fn section(&mut self, title: &'static str) {
        self.lines.push(Vec::new());
        let sign = Clean::concat(&[&self.open, &fixed(" ")]);
        self.lines.push(vec![(sign, self.title), (fixed(title), self.title.add_modifier(Modifier::BOLD))]);
    }

    fn text(&mut self, text: &Clean, style: Style) {
        let rows = wrap::rows(text.as_str(), self.width);
        self.lines.extend(rows.iter().map(|row| vec![(text.slice(row.start..row.end), style)]));
    }
}
