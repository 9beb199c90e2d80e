//! What lies over the inbox, the topmost last.

use ratatui::layout::Rect;

use super::{
    attach, board, context, dialog, form, help,
    pen::{Pen, fixed},
    preview, template,
};
use crate::state::{State, overlay::Overlay};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State) {
    if help::is_menu(state) {
        help::menu(pen, state);
    }
    for overlay in &state.overlays {
        let area = area(pen, state, overlay);
        pen.clear(area, pen.theme.raised);
        pen.fill(area, pen.theme.fg);
        pen.caret = None;
        match overlay {
            Overlay::Help(picker) => help::help(pen, state, picker, area),
            Overlay::Palette(picker) => help::palette(pen, state, picker, area),
            Overlay::Context { scroll } => {
                let style = pen.theme.accent;
                pen.frame(area, true, &[(fixed("3 Context"), style)], &[(fixed("Esc closes"), pen.theme.faint)]);
                context::lines_in(pen, state, inside(area), *scroll);
            }
            Overlay::Take(take) => dialog::take(pen, state, take, area),
            Overlay::HandBack(sheet) => dialog::hand_back(pen, state, sheet, area),
            Overlay::Resolve(sheet) => dialog::resolve(pen, state, sheet, area),
            Overlay::Assign(assign) => dialog::assign(pen, state, assign, area),
            Overlay::Resend { message, .. } => dialog::resend(pen, state, *message, area),
            Overlay::Board(sheet) => board::draw(pen, state, sheet, area),
            Overlay::Block { conversation, blocked } => dialog::block(pen, state, *conversation, *blocked, area),
            Overlay::Split { conversation } => dialog::split(pen, state, *conversation, area),
            Overlay::Forget { conversation } => dialog::forget(pen, state, *conversation, area),
            Overlay::Raw { text, scroll } => dialog::raw(pen, text, *scroll, area),
            Overlay::Template(sheet) => template::draw(pen, state, sheet, area),
            Overlay::File(sheet) => attach::draw(pen, state, sheet, area),
            Overlay::Offer(sheet) => form::draw(pen, state, sheet, area),
            Overlay::React(react) => dialog::react(pen, react, area),
            Overlay::Save(save) => dialog::save(pen, save, area),
            Overlay::Link(url) => dialog::link(pen, url, area),
            Overlay::Preview(preview) => preview::draw(pen, preview, area),
            Overlay::Consent(consent) => dialog::consent(pen, state, consent, area),
            Overlay::Quit => dialog::quit(pen, state, area),
        }
    }
}

/// What a frame leaves inside, with a cell of air at both sides.
pub(super) fn inside(area: Rect) -> Rect {
    Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(4), height: area.height.saturating_sub(2) }
}

fn area(pen: &Pen<'_>, state: &State, overlay: &Overlay) -> Rect {
    let screen = pen.buffer.area;
    let (width, height) = match overlay {
        Overlay::Help(_) | Overlay::Raw { .. } => (110.min(screen.width - 4), screen.height - 4),
        Overlay::Palette(_) => (84, 16),
        Overlay::Context { .. } => {
            let width = 44.min(screen.width);
            return Rect { x: screen.width - width, y: 1, width, height: screen.height - 3 };
        }
        Overlay::Take(take) => (60, if take.owner.is_some() { 8 } else { 7 }),
        Overlay::HandBack(_) => (60, 14),
        Overlay::Resolve(_) => (60, 9),
        Overlay::Assign(assign) => {
            let people = u16::try_from(assign.candidates(state).len()).unwrap_or(u16::MAX);
            (60, people.min(8).saturating_add(7))
        }
        Overlay::Resend { .. } => (60, 9),
        Overlay::Split { .. } => (60, 11),
        Overlay::Forget { .. } => (60, 8),
        Overlay::Block { .. } => (60, 8),
        Overlay::Board(_) => (96.min(screen.width.saturating_sub(2)), screen.height.saturating_sub(4)),
        Overlay::Template(_) => (96.min(screen.width.saturating_sub(2)), 22.min(screen.height.saturating_sub(2))),
        Overlay::File(_) => (76, 16),
        Overlay::Offer(sheet) => (74, if sheet.form.is_some() { 17 } else { 12 }),
        Overlay::React(_) => (44, 11),
        Overlay::Consent(_) => (60, 9),
        Overlay::Save(_) => (76, 8),
        Overlay::Link(_) => (76, 11),
        Overlay::Preview(preview) => preview::size(preview, screen),
        Overlay::Quit => (60, 9),
    };
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height }
}
