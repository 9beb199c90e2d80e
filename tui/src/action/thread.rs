//! Scrolling through a thread.

use super::with_thread;
use crate::state::State;

pub(super) fn half_page(state: &mut State, by: isize) {
    with_thread(state, |thread, height, manner| {
        let lines = isize::try_from(height / 2).unwrap_or(1).max(1);
        thread.scroll(lines * by, height, manner);
        // The cursor stays in sight.
        thread.cursor = None;
    });
}
