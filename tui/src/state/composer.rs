//! What an agent is writing in one conversation, and how far each text has been kept: first on this
//! disk, then with the server.

use std::{collections::HashMap, time::Duration};

use baton_shared::{ConversationId, MessageId, Micros, ProposalId, protocol::TEXT_LIMIT, split::split};

use crate::{
    composer::Editor,
    local::{Desk, Kept, Slot, Write},
};

/// A text is on disk this long after the last key.
const QUIET: Duration = Duration::from_millis(250);

/// What is longer stays on this disk: the server takes no more characters than this.
const SHARED_MAX: usize = 32 * 1024;

/// Texts that are put aside for one conversation; older ones make room.
const STASH_MAX: usize = 20;

/// One text.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pub editor: Editor,
    pub typed_at: Micros,
    /// When it is due to be written to disk.
    keep_at: Option<Micros>,
    /// When it was last known to be on disk.
    pub kept_at: Option<Micros>,
}

/// What the server knows of the reply.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub revision: i64,
    /// What it has under this revision.
    pub text: String,
    /// What was sent to it and not confirmed yet.
    pub saying: Option<String>,
}

/// What an agent is writing in one conversation.
#[derive(Clone, Debug)]
pub struct Composer {
    texts: HashMap<Slot, Text>,
    /// Reply or note: what the composer shows.
    pub slot: Slot,
    pub stash: Vec<String>,
    pub shared: Shared,
    /// The proposal that the reply began as.
    pub proposal: Option<ProposalId>,
    /// The message that the reply shows above itself.
    pub reply_to: Option<MessageId>,
    /// The window is closed: the reply waits until the customer has written.
    pub later: bool,
    /// The author knows that the reply becomes so many messages; the next Enter sends them.
    pub agreed: Option<u32>,
    /// The customer wrote this meanwhile; the next Enter sends all the same.
    pub in_spite_of: Option<MessageId>,
}

impl Default for Composer {
    fn default() -> Self {
        Self {
            texts: HashMap::new(),
            slot: Slot::Reply,
            stash: Vec::new(),
            shared: Shared::default(),
            proposal: None,
            reply_to: None,
            later: false,
            agreed: None,
            in_spite_of: None,
        }
    }
}

impl Composer {
    /// As it was left on disk.
    pub fn restored(desk: Desk) -> Self {
        let mut composer = Self { stash: desk.stash, ..Self::default() };
        for (slot, kept) in desk.texts {
            let text = composer.texts.entry(slot).or_default();
            text.editor.set(&kept.text, kept.cursor);
            text.typed_at = kept.typed_at;
            text.kept_at = Some(kept.typed_at);
            if slot == Slot::Reply {
                composer.shared.revision = kept.based_on;
            }
        }
        composer
    }

    pub fn text(&self, slot: Slot) -> Option<&Text> {
        self.texts.get(&slot)
    }

    pub fn editor(&self, slot: Slot) -> Option<&Editor> {
        self.texts.get(&slot).map(|text| &text.editor)
    }

    /// The editor that the composer shows.
    pub fn current(&self) -> Option<&Editor> {
        self.editor(self.slot)
    }

    pub fn is_empty(&self, slot: Slot) -> bool {
        self.editor(slot).is_none_or(Editor::is_empty)
    }

    /// Whether anything is written that was not sent.
    pub fn has_draft(&self) -> bool {
        self.texts.values().any(|text| !text.editor.is_empty())
    }

    /// As how many messages the text goes out.
    pub fn parts(&self) -> u32 {
        let Some(editor) = self.current() else { return 0 };
        match editor.over() {
            0 => 1,
            _ => u32::try_from(split(editor.text(), TEXT_LIMIT).len()).unwrap_or(u32::MAX),
        }
    }

    /// Changes a text; what changed will be kept.
    pub fn edit<T>(&mut self, slot: Slot, now: Micros, change: impl FnOnce(&mut Editor) -> T) -> T {
        let text = self.texts.entry(slot).or_default();
        let before = (text.editor.text().len(), text.editor.text().to_owned());
        let result = change(&mut text.editor);
        if (text.editor.text().len(), text.editor.text()) != (before.0, before.1.as_str()) {
            text.typed_at = now;
            text.keep_at = Some(now.plus(QUIET));
        }
        result
    }

    /// Puts the text aside; returns whether there was one.
    pub fn put_aside(&mut self, slot: Slot, now: Micros) -> bool {
        let aside = self.edit(slot, now, Editor::take);
        self.stash_text(slot, aside, now)
    }

    /// Keeps `text` in the stash, unless it is there.
    pub fn stash_text(&mut self, slot: Slot, text: String, now: Micros) -> bool {
        if text.trim().is_empty() {
            return false;
        }
        self.stash.retain(|known| *known != text);
        self.stash.push(text);
        let excess = self.stash.len().saturating_sub(STASH_MAX);
        self.stash.drain(..excess);
        self.keep_soon(slot, now);
        true
    }

    /// Takes the newest text out of the stash, in place of an empty one.
    pub fn bring_back(&mut self, slot: Slot, now: Micros) -> bool {
        let Some(text) = self.stash.pop() else { return false };
        self.edit(slot, now, |editor| editor.replace(&text));
        self.keep_soon(slot, now);
        true
    }

    /// Gives a text back that could not be sent: to the composer if that is empty, else to the stash.
    pub fn give_back(&mut self, slot: Slot, text: &str, now: Micros) {
        if self.is_empty(slot) {
            self.edit(slot, now, |editor| editor.replace(text));
        } else {
            self.stash_text(slot, text.to_owned(), now);
        }
    }

    /// Notes that something was typed that is no text of an editor.
    pub fn keep_soon(&mut self, slot: Slot, now: Micros) {
        self.texts.entry(slot).or_default().keep_at = Some(now);
    }

    /// When the next text is due to be written to disk.
    pub fn keep_at(&self) -> Option<Micros> {
        self.texts.values().filter_map(|text| text.keep_at).min()
    }

    /// What is to be written to disk now; everything that was typed if `all`.
    pub fn due(&mut self, conversation: ConversationId, now: Micros, all: bool) -> Option<Write> {
        let due = |text: &Text| text.keep_at.is_some_and(|at| all || at <= now);
        let slot = self.texts.iter().find(|(_, text)| due(text)).map(|(slot, _)| *slot)?;
        for text in self.texts.values_mut() {
            text.keep_at = None;
        }
        Some(Write::Desk { conversation, desk: self.desk(), slot })
    }

    /// What stands on disk after [`due`](Self::due).
    pub fn desk(&self) -> Desk {
        let kept = |(slot, text): (&Slot, &Text)| {
            let based_on = if *slot == Slot::Reply { self.shared.revision } else { 0 };
            let (text, cursor, typed_at) = (text.editor.text().to_owned(), text.editor.cursor(), text.typed_at);
            (*slot, Kept { text, cursor, typed_at, based_on })
        };
        let texts = self.texts.iter().filter(|(_, text)| !text.editor.is_empty()).map(kept).collect();
        Desk { texts, stash: self.stash.clone() }
    }

    pub fn kept(&mut self, slot: Slot, now: Micros) {
        if let Some(text) = self.texts.get_mut(&slot)
            && text.keep_at.is_none()
        {
            text.kept_at = Some(now);
        }
    }

    /// The reply, if the server should hear of it now: it differs from what it has, and no earlier
    /// one is on its way.
    pub fn to_say(&mut self) -> Option<(String, i64)> {
        let text = self.editor(Slot::Reply).map(|editor| editor.text().to_owned()).unwrap_or_default();
        if self.shared.saying.is_some() || text == self.shared.text || text.len() > SHARED_MAX {
            return None;
        }
        self.shared.saying = Some(text.clone());
        Some((text, self.shared.revision))
    }

    /// The server may not want what was said: it is not said again until it changes.
    pub fn not_said(&mut self) {
        if let Some(text) = self.shared.saying.take() {
            self.shared.text = text;
        }
    }

    /// The server has what was said.
    pub fn said(&mut self, revision: i64) {
        if let Some(text) = self.shared.saying.take() {
            self.shared = Shared { revision, text, saying: None };
        }
    }

    /// The server has another reply of mine, written elsewhere: the newer one shows, the other goes
    /// to the stash. Returns whether the screen changed.
    pub fn meet(&mut self, text: &str, revision: i64, written_at: Micros, now: Micros) -> bool {
        let (mine, typed_at) =
            self.text(Slot::Reply).map(|mine| (mine.editor.text().to_owned(), mine.typed_at)).unwrap_or_default();
        let built_on_it = self.shared.revision == revision;
        self.shared = Shared { revision, text: text.to_owned(), saying: None };
        if mine == text || built_on_it || (text.is_empty() && !mine.is_empty()) {
            return false;
        }
        if mine.is_empty() || written_at > typed_at {
            self.stash_text(Slot::Reply, mine, now);
            self.edit(Slot::Reply, now, |editor| editor.replace(text));
            true
        } else {
            self.stash_text(Slot::Reply, text.to_owned(), now);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros::from_seconds(1_000);

    fn typed(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.edit(Slot::Reply, NOW, |editor| editor.insert(text));
        composer
    }

    fn shown(composer: &Composer) -> &str {
        composer.editor(Slot::Reply).map(Editor::text).unwrap_or_default()
    }

    #[test]
    fn a_text_is_written_a_moment_after_the_last_key_and_comes_back() {
        let mut composer = typed("hello");
        let conversation = ConversationId(baton_shared::Ids::seeded(1).next::<ConversationId>(NOW).0);
        assert_eq!(composer.due(conversation, NOW, false), None);
        let later = NOW.plus(QUIET);
        let Some(Write::Desk { desk, .. }) = composer.due(conversation, later, false) else { panic!("it is due") };
        assert_eq!(composer.due(conversation, later, true), None, "once is enough");
        assert_eq!(shown(&Composer::restored(desk)), "hello");
    }

    #[test]
    fn moving_the_cursor_writes_nothing() {
        let mut composer = typed("hello");
        composer.texts.values_mut().for_each(|text| text.keep_at = None);
        composer.edit(Slot::Reply, NOW, |editor| editor.left(false));
        assert_eq!(composer.keep_at(), None);
    }

    #[test]
    fn one_reply_at_a_time_goes_to_the_server() {
        let mut composer = typed("a");
        assert_eq!(composer.to_say(), Some(("a".into(), 0)));
        composer.edit(Slot::Reply, NOW, |editor| editor.insert("b"));
        assert_eq!(composer.to_say(), None);
        composer.said(1);
        assert_eq!(composer.to_say(), Some(("ab".into(), 1)));
        composer.said(2);
        assert_eq!(composer.to_say(), None);
    }

    #[test]
    fn promise_9_of_two_drafts_the_newer_shows_and_the_other_is_in_the_stash() {
        let mut composer = typed("mine");
        assert!(composer.meet("theirs", 4, NOW.plus(QUIET), NOW));
        assert_eq!((shown(&composer), composer.stash.as_slice()), ("theirs", &["mine".to_owned()][..]));

        let mut composer = typed("mine");
        assert!(!composer.meet("theirs", 4, NOW.minus(QUIET), NOW));
        assert_eq!((shown(&composer), composer.stash.as_slice()), ("mine", &["theirs".to_owned()][..]));
        assert_eq!(composer.to_say(), Some(("mine".into(), 4)));
    }

    #[test]
    fn what_was_typed_on_top_of_the_servers_draft_is_no_conflict() {
        let mut composer = typed("");
        assert!(composer.meet("from the server", 7, NOW, NOW));
        composer.edit(Slot::Reply, NOW, |editor| editor.insert("!"));
        assert!(!composer.meet("from the server", 7, NOW.plus(QUIET), NOW));
        assert_eq!((shown(&composer), composer.stash.len()), ("from the server!", 0));
    }

    #[test]
    fn a_text_that_comes_back_never_overwrites_another() {
        let mut composer = typed("new words");
        composer.give_back(Slot::Reply, "refused words", NOW);
        assert_eq!((shown(&composer), composer.stash.as_slice()), ("new words", &["refused words".to_owned()][..]));
        composer.put_aside(Slot::Reply, NOW);
        assert!(composer.bring_back(Slot::Reply, NOW));
        assert_eq!(shown(&composer), "new words");
    }
}
