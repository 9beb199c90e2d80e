//! Sending a file: which one, with what words, and what becomes of it on its way.

use std::path::PathBuf;

use baton_shared::{
    ConversationId, UploadId,
    file::{FileKind, check_caption},
    protocol::{Act, Uploaded},
    template::{self, Filled},
};
use crossterm::event::KeyCode;

use super::{compose, edit, give};
use crate::{
    composer::Editor,
    event::{Effect, Effects, FileAsk, Looked},
    keys::{Action, Chord},
    local::Slot,
    state::{
        State,
        bringing::{Bringing, Stage},
        overlay::{FileField, FileSheet, Overlay},
        toast::Tone,
    },
    text::Clean,
};

/// Wide enough for any path, and for a caption's line.
const LINE: usize = 10_000;

pub(super) fn begin(state: &mut State) {
    let Some(conversation) = state.current_id() else { return };
    let reply_to = state.composers.get(&conversation).and_then(|composer| composer.reply_to);
    let sheet = FileSheet { conversation, reply_to, ..FileSheet::of(conversation) };
    state.overlays.push(Overlay::File(sheet));
}

pub(super) fn key(state: &mut State, mut sheet: FileSheet, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    if state.bringing.iter().any(|one| one.conversation == sheet.conversation && one.is_going()) {
        if chord.code == KeyCode::Char('x') {
            stop(state, sheet.conversation, out);
        }
        return Some(Overlay::File(sheet));
    }
    let slot = sheet.field.slot();
    match chord.code {
        KeyCode::Enter => return enter(state, sheet, out),
        KeyCode::Tab if chord.shift => sheet.field = sheet.field.previous(),
        KeyCode::Tab if sheet.field == FileField::Path => {
            let typed = text(state, sheet.conversation, Slot::File);
            out.push(Effect::File(FileAsk::Complete { conversation: sheet.conversation, typed }));
        }
        KeyCode::Tab | KeyCode::Down => sheet.field = sheet.field.next(),
        KeyCode::Up => sheet.field = sheet.field.previous(),
        KeyCode::Right | KeyCode::Char(' ' | 'l') if slot.is_none() => sheet.choose(1),
        KeyCode::Left | KeyCode::Char('h') if slot.is_none() => sheet.choose(-1),
        _ => {
            if let Some(slot) = slot {
                let now = state.now;
                state.composer(sheet.conversation).edit(slot, now, |editor| edit::apply(editor, chord, LINE));
                sheet.typed(slot);
            }
        }
    }
    Some(Overlay::File(sheet))
}

/// A path that nobody looked at is looked at; with the second Enter it goes.
fn enter(state: &mut State, mut sheet: FileSheet, out: &mut Effects) -> Option<Overlay> {
    let typed = text(state, sheet.conversation, Slot::File);
    let Some(looked) = sheet.looked.clone().filter(|looked| looked.typed == typed) else {
        if typed.trim().is_empty() {
            state.toast(Tone::Warn, "type which file: a path, Tab completes it");
        } else {
            out.push(Effect::File(FileAsk::Look { conversation: sheet.conversation, typed }));
        }
        return Some(Overlay::File(sheet));
    };
    let caption = text(state, sheet.conversation, Slot::Caption).trim().to_owned();
    let kind = sheet.kind();
    if let Err(unfit) = looked.facts.check(kind).and_then(|()| check_caption(kind, &caption)) {
        sheet.trouble = Some(Clean::line(&unfit.to_string()));
        return Some(Overlay::File(sheet));
    }
    if let Err(why) = Action::Attach.enabled(state) {
        state.toast(Tone::Warn, why.0);
        return Some(Overlay::File(sheet));
    }
    go(state, &sheet, &looked, kind, caption, out);
    None
}

fn go(state: &mut State, sheet: &FileSheet, looked: &Looked, kind: FileKind, caption: String, out: &mut Effects) {
    let conversation = sheet.conversation;
    let known = state.bringing.iter().position(|one| one.conversation == conversation);
    let known = known.map(|at| state.bringing.remove(at));
    // The server has this very file, only its message was not sent.
    let here = known.filter(|one| one.stage == Stage::Kept && (&one.typed, one.kind) == (&looked.typed, kind));
    let id = here.as_ref().map_or_else(|| state.given.ids.next(state.now), |one| one.id);
    let one = Bringing {
        id,
        conversation,
        typed: looked.typed.clone(),
        path: looked.path.clone(),
        name: Clean::line(&looked.name),
        kind,
        caption,
        template: None,
        reply_to: sheet.reply_to,
        sent: 0,
        size: looked.facts.size,
        stage: Stage::Going,
        began_at: state.now,
    };
    state.toasts.pass();
    state.bringing.push(one);
    if here.is_some() {
        return send(state, id, out);
    }
    let path = looked.path.clone();
    out.push(Effect::File(FileAsk::Bring { id, conversation, path, kind }));
}

/// The header of a template is a file of this disk: it is brought first.
pub(super) fn header(
    state: &mut State,
    conversation: ConversationId,
    kind: FileKind,
    template: Filled,
    out: &mut Effects,
) {
    let typed = template.values.first().cloned().unwrap_or_default();
    let path = match typed.strip_prefix("~/") {
        Some(rest) => state.given.home.join(rest),
        None => PathBuf::from(&typed),
    };
    state.bringing.retain(|one| one.conversation != conversation || one.is_going());
    let id = state.given.ids.next(state.now);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    state.bringing.push(Bringing {
        id,
        conversation,
        typed,
        path: path.clone(),
        name: Clean::line(&name),
        kind,
        caption: String::new(),
        template: Some(template),
        reply_to: None,
        sent: 0,
        size: 0,
        stage: Stage::Going,
        began_at: state.now,
    });
    out.push(Effect::File(FileAsk::Bring { id, conversation, path, kind }));
}

fn stop(state: &mut State, conversation: ConversationId, out: &mut Effects) {
    for one in state.bringing.extract_if(.., |one| one.conversation == conversation && one.is_going()) {
        out.push(Effect::File(FileAsk::Stop { id: one.id }));
    }
    state.toast(Tone::Done, "stopped: nothing was sent, what you typed is kept");
}

pub(super) fn completed(
    state: &mut State,
    conversation: ConversationId,
    typed: &str,
    text_: &str,
    choices: Vec<String>,
) {
    let now = state.now;
    if text(state, conversation, Slot::File) != typed {
        return;
    }
    if text_ != typed {
        state.composer(conversation).edit(Slot::File, now, |editor| editor.replace(text_));
    }
    if let Some(sheet) = sheet(state, conversation) {
        sheet.choices = choices.iter().map(|choice| Clean::line(choice)).collect();
        sheet.trouble = sheet.choices.is_empty().then(|| Clean::from_static("nothing here begins like that"));
    }
}

pub(super) fn looked(state: &mut State, conversation: ConversationId, found: Result<Looked, String>) {
    let Some(sheet) = sheet(state, conversation) else { return };
    match found {
        Ok(looked) => {
            sheet.trouble =
                looked.facts.check(looked.facts.usual_kind()).err().map(|why| Clean::line(&why.to_string()));
            sheet.field = if sheet.trouble.is_some() { FileField::Path } else { FileField::Caption };
            (sheet.choices, sheet.chosen) = (vec![], 0);
            sheet.looked = Some(looked);
        }
        Err(why) => (sheet.trouble, sheet.looked) = (Some(Clean::line(&why)), None),
    }
}

fn sheet(state: &mut State, conversation: ConversationId) -> Option<&mut FileSheet> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::File(sheet) if sheet.conversation == conversation => Some(sheet),
        _ => None,
    })
}

pub(super) fn moved(state: &mut State, id: UploadId, sent: u64, waits: bool) {
    if let Some(one) = state.bringing.iter_mut().find(|one| one.id == id && one.is_going()) {
        (one.sent, one.stage) = (sent, if waits { Stage::Waiting } else { Stage::Going });
    }
}

/// The server has it: now it is sent.
pub(super) fn brought(state: &mut State, uploaded: &Uploaded, out: &mut Effects) {
    send(state, uploaded.file, out);
}

fn send(state: &mut State, id: UploadId, out: &mut Effects) {
    let Some(one) = state.bringing.iter_mut().find(|one| one.id == id) else { return };
    (one.stage, one.sent) = (Stage::Given, one.size);
    let (conversation, caption, reply_to) = (one.conversation, one.caption.clone(), one.reply_to);
    let Some(epoch) = state.queue.get(conversation).map(|row| row.epoch) else {
        return not_brought(state, id, "the conversation is not in your inbox any more");
    };
    let seen = compose::seen(state, conversation);
    if let Some(mut template) = state.bringing.iter().find(|one| one.id == id).and_then(|one| one.template.clone()) {
        if let Some(value) = template.values.first_mut() {
            *value = template::file(id);
        }
        done(state, id);
        return give(state, conversation, Act::SendTemplate { epoch, template, seen }, out);
    }
    // First the command, then the empty sheet: the disk never has neither.
    give(state, conversation, Act::SendFile { epoch, file: id, caption, seen, reply_to }, out);
    let now = state.now;
    let composer = state.composer(conversation);
    for slot in [Slot::File, Slot::Caption] {
        composer.edit(slot, now, Editor::take);
        composer.keep_soon(slot, now);
    }
    composer.reply_to = None;
}

pub(super) fn not_brought(state: &mut State, id: UploadId, why: &str) {
    let gone = state.bringing.extract_if(.., |one| one.id == id).next();
    if gone.is_some() {
        let key = state.given.keymap.hint(Action::Attach).unwrap_or_default();
        let why = why.trim_end_matches('.');
        if gone.is_some_and(|gone| gone.template.is_some()) {
            return state.toast(Tone::Bad, format!("the template was not sent: {why}"));
        }
        state.toast(Tone::Bad, format!("the file was not sent: {why}; {key} brings back what you typed"));
    }
}

/// Its message is queued.
pub(super) fn done(state: &mut State, id: UploadId) {
    state.bringing.retain(|one| one.id != id);
}

/// Its message was not sent: what was typed comes back, and the file needs no second journey.
pub(super) fn give_back(state: &mut State, conversation: ConversationId, id: UploadId, caption: &str) {
    let now = state.now;
    let mut typed = String::new();
    for one in state.bringing.iter_mut().filter(|one| one.id == id) {
        one.stage = Stage::Kept;
        typed.clone_from(&one.typed);
    }
    let composer = state.composer(conversation);
    composer.give_back(Slot::Caption, caption, now);
    if composer.is_empty(Slot::File) {
        composer.edit(Slot::File, now, |editor| editor.replace(&typed));
    }
}

fn text(state: &State, conversation: ConversationId, slot: Slot) -> String {
    let editor = state.composers.get(&conversation).and_then(|composer| composer.editor(slot));
    editor.map(|editor| editor.text().to_owned()).unwrap_or_default()
}

#[cfg(test)]
#[path = "attach_tests.rs"]
mod tests;
