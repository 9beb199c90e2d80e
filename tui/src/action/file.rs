//! The file of a message: opened by another program, or saved.

use std::{path::PathBuf, sync::Arc};

use baton_shared::MessageId;
use crossterm::event::KeyCode;

use super::{attach, edit, message::chosen_file};
use crate::{
    composer::Editor,
    event::{Effect, Effects, FileAsk, FileNews},
    keys::Chord,
    picture::Picture,
    state::{
        State,
        overlay::{Overlay, Preview, Save, Shown},
        toast::Tone,
    },
    text::Clean,
};

/// Wide enough for any path.
const LINE: usize = 10_000;

/// Nothing of a customer's is opened unless somebody asks for it.
pub(super) fn open(state: &mut State, out: &mut Effects) {
    let Some(message) = chosen_file(state).map(|said| said.id) else { return };
    out.push(Effect::File(FileAsk::Open { message }));
}

/// The picture is fetched while its frame is there already.
pub(super) fn preview(state: &mut State, out: &mut Effects) {
    let Some((message, name)) =
        chosen_file(state).and_then(|said| Some((said.id, Clean::line(&said.file.as_ref()?.name))))
    else {
        return;
    };
    state.overlays.push(Overlay::Preview(Preview { message, name, shown: Shown::Loading }));
    out.push(Effect::File(FileAsk::Preview { message }));
}

/// Whoever has closed it meanwhile does not want it any more.
fn previewed(state: &mut State, of: MessageId, picture: Result<Arc<Picture>, String>) {
    let open = state.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Preview(preview) if preview.message == of => Some(preview),
        _ => None,
    });
    if let Some(preview) = open {
        preview.shown = match picture {
            Ok(picture) => Shown::Here(picture),
            Err(why) => Shown::Not(Clean::line(&format!("It cannot be shown: {}.", why.trim_end_matches('.')))),
        };
    }
}

/// Asks where to.
pub(super) fn save(state: &mut State) {
    let Some((message, name)) = chosen_file(state).and_then(|said| Some((said.id, said.file.as_ref()?.name.clone())))
    else {
        return;
    };
    let mut path = Editor::default();
    path.insert(&state.given.folder.join(name).to_string_lossy());
    state.overlays.push(Overlay::Save(Save { message, path, replace: false }));
}

pub(super) fn save_key(state: &mut State, mut save: Save, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    if chord.code != KeyCode::Enter {
        edit::apply(&mut save.path, chord, LINE);
        // Another name is another question.
        return Some(Overlay::Save(Save { replace: false, ..save }));
    }
    let typed = save.path.text().trim();
    if typed.is_empty() {
        state.toast(Tone::Warn, "type where it shall be saved");
        return Some(Overlay::Save(save));
    }
    let path = match typed.strip_prefix("~/") {
        Some(rest) => state.given.home.join(rest),
        None => PathBuf::from(typed),
    };
    out.push(Effect::File(FileAsk::Save { message: save.message, path, replace: save.replace }));
    None
}

/// What became of it.
pub(super) fn happened(state: &mut State, news: FileNews, out: &mut Effects) {
    match news {
        FileNews::Previewed { message, picture } => previewed(state, message, picture),
        FileNews::Opened => state.toast(Tone::Done, "opened"),
        FileNews::Link(url) => {
            let url = Clean::line(&url);
            out.push(Effect::Copy(url.clone()));
            state.overlays.push(Overlay::Link(url));
        }
        FileNews::Saved { path, size } => {
            state.toast(Tone::Done, format!("saved {}: {}", crate::words::bytes(size), path.display()));
        }
        FileNews::Exists { message, path } => {
            let mut editor = Editor::default();
            editor.insert(&path.to_string_lossy());
            state.overlays.push(Overlay::Save(Save { message, path: editor, replace: true }));
        }
        FileNews::Completed { conversation, typed, text, choices } => {
            attach::completed(state, conversation, &typed, &text, choices);
        }
        FileNews::Looked { conversation, found } => attach::looked(state, conversation, found),
        FileNews::Moved { id, sent, waits } => attach::moved(state, id, sent, waits),
        FileNews::Brought(uploaded) => attach::brought(state, &uploaded, out),
        FileNews::NotBrought { id, why } => attach::not_brought(state, id, &why),
        FileNews::Failed(why) => state.toast(Tone::Bad, why),
    }
}
