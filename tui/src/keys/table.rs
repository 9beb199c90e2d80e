//! The table itself.

use super::{
    Action,
    Context::{self, Card, Chat, Compose, Queue},
    Group, Spec,
    checks::{self, always},
};

const NORMAL: &[Context] = &[Queue, Chat, Card];
const ANYWHERE: &[Context] = &Context::ALL;
const IN_QUEUE: &[Context] = &[Queue];
const COMPOSE: &[Context] = &[Compose];

/// One line: group, action, name, keys, where they work, label, place in the hint bar, check.
macro_rules! spec {
    (
        $group:ident $action:ident, $id:literal, [$($key:literal),*], $contexts:ident, $label:literal, $hint:literal,
        $enabled:expr
    ) => {
        Spec {
            action: Action::$action,
            id: $id,
            keys: &[$($key),*],
            contexts: $contexts,
            label: $label,
            group: Group::$group,
            hint: $hint,
            enabled: $enabled,
        }
    };
}

/// Everything a person can do.
#[rustfmt::skip]
pub static TABLE: &[Spec] = &[
    spec!(Control Take, "take", ["t"], NORMAL, "take over", 3, checks::take),
    spec!(Control HandBack, "hand_back", ["b"], NORMAL, "back to bot", 4, checks::hand_back),
    spec!(Control Resolve, "resolve", ["X"], NORMAL, "resolve", 6, checks::resolve),
    spec!(Control Release, "release", ["R"], NORMAL, "release to the queue", 0, checks::release),
    spec!(Control Assign, "assign", ["A"], NORMAL, "give to a colleague", 0, checks::assign),
    spec!(Control Escalate, "escalate", ["E"], NORMAL, "ask for a person", 0, checks::escalate),
    spec!(Control Split, "split", ["D"], NORMAL, "two customers after all", 0, checks::split),
    spec!(Control Forget, "forget", ["F"], NORMAL, "let the bot forget", 0, checks::forget),
    spec!(Control PassThread, "pass_thread", ["P"], NORMAL, "thread to the other app", 0, checks::our_thread),
    spec!(Control ReleaseThread, "release_thread", ["H"], NORMAL, "thread to nobody", 0, checks::our_thread),
    spec!(Control Block, "block", ["K"], NORMAL, "block, unblock", 0, checks::block),
    spec!(Reply Reply, "reply", ["i"], NORMAL, "reply", 1, checks::reply),
    spec!(Reply ReplyTo, "reply_to", ["r"], NORMAL, "reply to this message", 0, checks::reply_to),
    spec!(Reply Later, "later", ["L"], NORMAL, "reply when they write", 0, checks::later),
    spec!(Reply Attach, "attach", ["f"], NORMAL, "send a file", 0, checks::reply),
    spec!(Reply Offer, "offer", ["c"], NORMAL, "send choices, a place, a card", 0, checks::reply),
    spec!(Reply Template, "template", ["T"], NORMAL, "send a template", 0, checks::template),
    spec!(Reply Note, "note", ["n"], NORMAL, "note", 5, checks::some_conversation),
    spec!(Reply Send, "send", ["enter"], COMPOSE, "send", 1, checks::send),
    spec!(Reply Newline, "newline", ["ctrl+j", "alt+enter", "shift+enter"], COMPOSE, "newline", 2, always),
    spec!(Reply Leave, "leave", ["esc"], COMPOSE, "keep and leave", 3, always),
    spec!(Reply OwnEditor, "own_editor", ["ctrl+g"], COMPOSE, "your editor", 4, always),
    spec!(Reply Stash, "stash", ["ctrl+s"], COMPOSE, "stash, bring back", 5, checks::stash),
    spec!(Reply Undo, "undo", ["ctrl+z"], COMPOSE, "undo", 6, always),
    spec!(Reply Redo, "redo", ["ctrl+y"], COMPOSE, "redo", 0, always),
    spec!(Reply Consent, "consent", ["M"], NORMAL, "record marketing consent", 0, checks::some_conversation),
    spec!(Proposal Approve, "approve", ["a"], NORMAL, "approve", 2, checks::use_proposal),
    spec!(Proposal EditProposal, "edit_proposal", ["e"], NORMAL, "edit proposal", 0, checks::use_proposal),
    spec!(Proposal Discard, "discard", ["x"], NORMAL, "discard proposal", 0, checks::drop_proposal),
    spec!(Proposal NextProposal, "next_proposal", ["]"], NORMAL, "next proposal", 0, checks::other_proposal),
    spec!(Message Copy, "copy", ["y"], NORMAL, "copy message", 0, checks::some_message),
    spec!(Message CopyThread, "copy_thread", ["Y"], NORMAL, "copy thread", 0, checks::some_message),
    spec!(Message Raw, "raw", ["v"], NORMAL, "view as it came", 0, checks::some_message),
    spec!(Message React, "react", ["+"], NORMAL, "react", 0, checks::reply_to),
    spec!(Message Quoted, "quoted", ["o"], NORMAL, "what it replies to", 0, checks::quoted),
    spec!(Message Preview, "preview", ["p"], NORMAL, "preview the picture", 0, checks::preview),
    spec!(Message OpenFile, "open_file", ["O"], NORMAL, "open the file", 0, checks::file),
    spec!(Message SaveFile, "save_file", ["s"], NORMAL, "save the file", 0, checks::file),
    spec!(Message Resend, "resend", ["S"], NORMAL, "send again", 7, checks::resend),
    spec!(Message Cancel, "cancel", ["C"], NORMAL, "do not send", 8, checks::cancel),
    spec!(Move Down, "down", ["j", "down"], NORMAL, "down", 0, always),
    spec!(Move Up, "up", ["k", "up"], NORMAL, "up", 0, always),
    spec!(Move HalfDown, "half_down", ["ctrl+d", "pagedown"], NORMAL, "half a page down", 0, always),
    spec!(Move HalfUp, "half_up", ["ctrl+u", "pageup"], NORMAL, "half a page up", 0, always),
    spec!(Move Top, "top", ["g g", "home"], NORMAL, "top", 0, always),
    spec!(Move Bottom, "bottom", ["G", "end"], NORMAL, "bottom", 0, always),
    spec!(Move Open, "open", ["enter"], IN_QUEUE, "open", 9, checks::open),
    spec!(Move Urgent, "urgent", ["u"], NORMAL, "most urgent", 10, checks::urgent),
    spec!(Move Back, "back", ["-"], NORMAL, "last conversation", 0, checks::back),
    spec!(Move NextPane, "next_pane", ["tab"], NORMAL, "next pane", 0, always),
    spec!(Move PreviousPane, "previous_pane", ["shift+tab"], NORMAL, "previous pane", 0, always),
    spec!(Move QueuePane, "queue", ["1"], NORMAL, "queue", 0, always),
    spec!(Move ChatPane, "chat", ["2"], NORMAL, "chat", 0, always),
    spec!(Move ContextPane, "context", ["3"], NORMAL, "context", 0, checks::some_open),
    spec!(Move Fold, "fold", ["h", "left"], IN_QUEUE, "fold the section", 0, always),
    spec!(Move Unfold, "unfold", ["l", "right"], IN_QUEUE, "unfold the section", 0, always),
    spec!(Move Filter, "filter", ["/"], NORMAL, "filter the queue", 0, always),
    spec!(View Zoom, "zoom", ["z"], NORMAL, "zoom the chat", 11, checks::some_open),
    spec!(View ToggleContext, "toggle_context", ["space w c"], NORMAL, "show or hide the context", 0, always),
    spec!(View Wider, "wider_queue", [">"], NORMAL, "wider queue", 0, always),
    spec!(View Narrower, "narrower_queue", ["<"], NORMAL, "narrower queue", 0, always),
    spec!(View Board, "board", ["B"], NORMAL, "how the numbers stand", 0, checks::board),
    spec!(View Redraw, "redraw", ["ctrl+l"], ANYWHERE, "paint the screen anew", 0, always),
    spec!(View Palette, "palette", [":", "alt+x"], NORMAL, "all actions by name", 0, always),
    spec!(View Help, "help", ["?", "f1"], NORMAL, "help", 12, always),
    spec!(View Quit, "quit", ["q", "ctrl+q"], NORMAL, "quit", 0, always),
];
