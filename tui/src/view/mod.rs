//! The only painter: reads the state, writes cells. One file an area, named as in `state` and `action`.

mod attach;
mod board;
mod composer;
mod context;
mod dialog;
mod form;
mod header;
mod help;
mod hint;
mod overlay;
mod pen;
mod preview;
mod queue;
mod template;
mod thread;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
};

use self::pen::{Pen, fixed};
use crate::{
    state::{State, layout::Layout},
    theme::Theme,
};

/// Paints the inbox and says where the terminal's cursor goes.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame<'_>) {
    if let Some(caret) = paint(state, theme, frame.buffer_mut()) {
        frame.set_cursor_position(caret);
    }
}

/// The same on a buffer of the state's size: for pictures and tests.
pub fn paint(state: &State, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let mut pen = Pen { buffer, theme, emoji: state.given.emoji, caret: None };
    let layout = Layout::of(state);
    if layout.is_too_small {
        too_small(&mut pen);
        return None;
    }
    let screen = pen.buffer.area;
    pen.fill(screen, theme.fg);
    header::draw(&mut pen, state, layout.header);
    if let Some(row) = layout.ticker {
        header::ticker(&mut pen, state, row);
    }
    if let Some(queue) = &layout.queue {
        queue::draw(&mut pen, state, queue);
    }
    if let Some(chat) = &layout.chat {
        thread::draw(&mut pen, state, chat);
        composer::draw(&mut pen, state, chat);
    }
    if let Some(area) = layout.context {
        context::draw(&mut pen, state, area);
    }
    hint::draw(&mut pen, state, layout.hints);
    hint::status(&mut pen, state, layout.status);
    hint::first_steps(&mut pen, state, &layout);
    overlay::draw(&mut pen, state);
    pen.caret
}

/// Nothing is lost, there is only no room to show it.
fn too_small(pen: &mut Pen<'_>) {
    let area = pen.buffer.area;
    let sentences = [fixed("Needs 60x16."), fixed("Your text is kept.")];
    let top = area.y + area.height.saturating_sub(2) / 2;
    for (sentence, y) in sentences.iter().zip(top..area.bottom()) {
        pen.centered(Rect { x: area.x, width: area.width, y, height: 1 }, y, sentence, pen.theme.fg);
    }
}

#[cfg(test)]
mod tests;
