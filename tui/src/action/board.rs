//! The board: how the numbers stand, asked for again while it is open.

use std::time::Duration;

use baton_shared::protocol;

use crate::{
    event::{Effect, Effects},
    net::Request,
    state::{
        State,
        overlay::{Board, Overlay},
    },
};

const AGAIN_AFTER: Duration = Duration::from_secs(5);

pub(super) fn show(state: &mut State, out: &mut Effects) {
    state.overlays.push(Overlay::Board(Board { asked_at: state.now, ..Board::default() }));
    out.push(Effect::Net(Request::Board));
}

pub(super) fn ask_again(state: &mut State, out: &mut Effects) {
    let (now, is_connected) = (state.now, state.line.is_connected());
    let Some(board) = open(state).filter(|board| is_connected && board.asked_at.plus(AGAIN_AFTER) <= now) else {
        return;
    };
    board.asked_at = now;
    out.push(Effect::Net(Request::Board));
}

pub(super) fn came(state: &mut State, came: protocol::Board) {
    if let Some(board) = open(state) {
        board.known = Some(came.into());
    }
}

fn open(state: &mut State) -> Option<&mut Board> {
    state.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Board(board) => Some(board),
        _ => None,
    })
}
