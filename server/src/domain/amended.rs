//! What a message looks like after its author changed or deleted it and others reacted to it.

use std::collections::BTreeMap;

use baton_shared::{
    Micros,
    message::{Author, Edited, Reaction},
};

/// What a change does to its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Reaction,
    Edit,
    Revoke,
}

impl Kind {
    /// By Meta's `type`; `None` for what is a message of its own.
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "reaction" => Some(Self::Reaction),
            "edit" => Some(Self::Edit),
            "revoke" => Some(Self::Revoke),
            _ => None,
        }
    }
}

/// One change after a message was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: Kind,
    /// The customer, or the business.
    pub by: Author,
    /// Who exactly, where several people are the other side.
    pub actor: String,
    /// An emoji, empty if it was taken away; or the new text.
    pub text: String,
    pub detail: Option<String>,
    pub at: Micros,
}

/// A message as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    pub text: String,
    pub detail: Option<String>,
    pub edited: Option<Edited>,
    pub revoked_at: Option<Micros>,
    pub reactions: Vec<Reaction>,
}

/// Folds `changes`, the oldest first, over what `author` said. Nobody edits or deletes what the other
/// side said; a deletion takes nothing away from what agents see of it.
pub fn fold(author: Author, text: String, detail: Option<String>, changes: &[Change]) -> Looks {
    let mut looks = Looks { text, detail, edited: None, revoked_at: None, reactions: Vec::new() };
    let mut reactions: BTreeMap<(bool, &str), Reaction> = BTreeMap::new();
    for change in changes {
        let is_own = (change.by == Author::Customer) == (author == Author::Customer);
        match change.kind {
            Kind::Reaction => {
                let key = (change.by == Author::Customer, change.actor.as_str());
                reactions.remove(&key);
                if !change.text.is_empty() {
                    reactions.insert(key, Reaction { by: change.by, emoji: change.text.clone(), at: change.at });
                }
            }
            Kind::Edit if is_own => {
                let before = looks.edited.take().map_or_else(|| looks.text.clone(), |edited| edited.before);
                looks.edited = Some(Edited { at: change.at, before });
                looks.text.clone_from(&change.text);
                looks.detail.clone_from(&change.detail);
            }
            Kind::Revoke if is_own => {
                looks.revoked_at.get_or_insert(change.at);
            }
            Kind::Edit | Kind::Revoke => {}
        }
    }
    looks.reactions = reactions.into_values().collect();
    looks.reactions.sort_by_key(|reaction| reaction.at);
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: Kind, by: Author, text: &str, second: i64) -> Change {
        let at = Micros::from_seconds(second);
        Change { kind, by, actor: String::new(), text: text.into(), detail: None, at }
    }

    fn said(changes: &[Change]) -> Looks {
        fold(Author::Customer, "two lamps".into(), None, changes)
    }

    #[test]
    fn the_first_text_stays_known_through_every_edit() {
        let edits = [
            change(Kind::Edit, Author::Customer, "three lamps", 5),
            change(Kind::Edit, Author::Customer, "four lamps", 9),
        ];
        let looks = said(&edits);
        assert_eq!(looks.text, "four lamps");
        assert_eq!(looks.edited, Some(Edited { at: Micros::from_seconds(9), before: "two lamps".into() }));
    }

    #[test]
    fn nobody_changes_what_the_other_side_said() {
        let changes = [change(Kind::Edit, Author::Phone, "no lamps", 5), change(Kind::Revoke, Author::Phone, "", 6)];
        let looks = said(&changes);
        assert_eq!((looks.text.as_str(), looks.edited, looks.revoked_at), ("two lamps", None, None));
    }

    #[test]
    fn what_was_deleted_can_still_be_read() {
        let looks = said(&[change(Kind::Revoke, Author::Customer, "", 6)]);
        assert_eq!((looks.text.as_str(), looks.revoked_at), ("two lamps", Some(Micros::from_seconds(6))));
    }

    #[test]
    fn each_side_has_one_reaction_and_may_take_it_away() {
        let changes = [
            change(Kind::Reaction, Author::Customer, "👍", 1),
            change(Kind::Reaction, Author::Phone, "🎉", 2),
            change(Kind::Reaction, Author::Customer, "❤️", 3),
        ];
        let signs = |changes: &[Change]| -> Vec<String> {
            said(changes).reactions.into_iter().map(|reaction| reaction.emoji).collect()
        };
        assert_eq!(signs(&changes), ["🎉", "❤️"]);
        let gone = [&changes[..], &[change(Kind::Reaction, Author::Customer, "", 4)]].concat();
        assert_eq!(signs(&gone), ["🎉"]);
    }
}
