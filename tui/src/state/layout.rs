//! Where everything stands on a screen of some size: pure geometry, used for drawing and for
//! knowing how far one scrolls.

use ratatui::layout::Rect;

use super::{Mode, Pane, State, proposal};
use crate::{local::Slot, text::wrap};

/// The smallest screen on which there is an inbox.
pub const LEAST: (u16, u16) = (60, 16);

/// From this width on queue and chat stand side by side.
pub const TWO_PANES: u16 = 100;

/// From this width on the context stands beside them.
pub const THREE_PANES: u16 = 120;

const QUEUE_WIDTH: u16 = 36;
const CONTEXT_WIDTH: u16 = 26;

/// From this height on there is air.
const TALL: u16 = 30;

/// Where everything stands; empty where there is no room at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub header: Rect,
    /// Who waits, in one line, where the queue is not beside the chat.
    pub ticker: Option<Rect>,
    pub queue: Option<QueueLayout>,
    pub chat: Option<ChatLayout>,
    pub context: Option<Rect>,
    pub hints: Rect,
    pub status: Rect,
    pub is_too_small: bool,
}

/// The queue's pane: its frame, its list, and a line below that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLayout {
    pub frame: Rect,
    pub list: Rect,
    pub foot: Rect,
}

/// The chat's pane. `proposal` and `composer` begin with the line that divides them from what is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatLayout {
    pub frame: Rect,
    pub head: Rect,
    pub thread: Rect,
    pub proposal: Option<Rect>,
    pub composer: Rect,
    /// The composer's text.
    pub editor: Rect,
}

impl Layout {
    pub fn of(state: &State) -> Self {
        let (width, height) = state.size;
        if width < LEAST.0 || height < LEAST.1 {
            return Self { is_too_small: true, ..Self::default() };
        }
        let row = |y| Rect::new(0, y, width, 1);
        let is_narrow = width < TWO_PANES;
        let air = u16::from(height >= TALL);
        let top = 1 + u16::from(is_narrow);
        let body = Rect::new(0, top, width, height - top - 2 - air);
        let mut layout = Self { header: row(0), hints: row(height - 2), status: row(height - 1), ..Self::default() };
        if is_narrow {
            layout.ticker = Some(row(1));
        }
        layout.place_panes(state, body);
        layout
    }

    fn place_panes(&mut self, state: &State, body: Rect) {
        if body.width < TWO_PANES || state.zoom {
            match state.focus {
                Pane::Queue if !state.zoom => self.queue = Some(QueueLayout::in_frame(body)),
                Pane::Context if !state.zoom => self.context = Some(body),
                Pane::Queue | Pane::Chat | Pane::Context => self.chat = Some(ChatLayout::in_frame(body, state)),
            }
            return;
        }
        let queue_width = state.settings.queue_width.unwrap_or(QUEUE_WIDTH).clamp(28, 48);
        let has_context = body.width >= THREE_PANES && !state.settings.hide_context;
        // Wide screens give the context what the eye can use of it, and the chat the rest.
        let context_width = if has_context { CONTEXT_WIDTH + (body.width - THREE_PANES).min(56) / 4 } else { 0 };
        let queue = Rect { width: queue_width, ..body };
        let chat = Rect { x: queue.right(), width: body.width - queue_width - context_width, ..body };
        self.queue = Some(QueueLayout::in_frame(queue));
        self.chat = Some(ChatLayout::in_frame(chat, state));
        self.context = has_context.then(|| Rect { x: chat.right(), width: context_width, ..body });
    }
}

impl QueueLayout {
    fn in_frame(frame: Rect) -> Self {
        let inner = inside(frame);
        let list = Rect { height: inner.height.saturating_sub(1), ..inner };
        Self { frame, list, foot: Rect { y: list.bottom(), height: 1, ..inner } }
    }
}

impl ChatLayout {
    fn in_frame(frame: Rect, state: &State) -> Self {
        let inner = inside(frame);
        let is_tall = state.size.1 >= TALL;
        let text_rows = editor_rows(state, inner.width.saturating_sub(2));
        let spare = inner.height.saturating_sub(3 + 4);
        let text_rows = text_rows.clamp(if is_tall { 3 } else { 2 }, (inner.height / 3).max(3)).min(spare);
        let composer_rows = 1 + text_rows;
        let composer = bottom(inner, 0, composer_rows);
        let proposal_rows =
            proposal_rows(state, inner.width.saturating_sub(2)).min(inner.height.saturating_sub(3 + composer_rows + 4));
        let proposal = (proposal_rows > 1).then(|| bottom(inner, composer_rows, proposal_rows));
        let head = Rect { height: 2.min(inner.height), ..inner };
        let used = head.height + 1 + composer_rows + proposal.map_or(0, |proposal| proposal.height);
        let thread = Rect { y: head.bottom() + 1, height: inner.height.saturating_sub(used), ..inner };
        let editor =
            Rect { x: composer.x + 1, y: composer.y + 1, width: composer.width.saturating_sub(2), height: text_rows };
        Self { frame, head, thread, proposal, composer, editor }
    }
}

fn editor_rows(state: &State, width: u16) -> u16 {
    let editor = state.open_composer().and_then(|composer| composer.current());
    let rows = editor.map_or(1, |editor| editor.view(usize::from(width)).rows.len());
    u16::try_from(rows).unwrap_or(u16::MAX)
}

/// Its dividing line, the text, and a line of keys.
fn proposal_rows(state: &State, width: u16) -> u16 {
    // What is being written of it stands in the composer already.
    let is_used = |id| {
        state.open_composer().is_some_and(|composer| composer.proposal == Some(id) && !composer.is_empty(Slot::Reply))
    };
    let Some((proposal, ..)) = proposal::shown(state).filter(|(proposal, ..)| !is_used(proposal.id)) else { return 0 };
    let rows = wrap::rows(proposal.text.as_str(), usize::from(width.max(1))).len();
    2 + u16::try_from(rows).unwrap_or(u16::MAX).min(if state.mode == Mode::Compose { 3 } else { 6 })
}

/// What a frame leaves inside.
fn inside(frame: Rect) -> Rect {
    Rect::new(frame.x + 1, frame.y + 1, frame.width.saturating_sub(2), frame.height.saturating_sub(2))
}

/// `height` rows of `area` that end `above` rows over its bottom.
fn bottom(area: Rect, above: u16, height: u16) -> Rect {
    Rect { y: area.bottom().saturating_sub(above + height).max(area.y), height: height.min(area.height), ..area }
}
