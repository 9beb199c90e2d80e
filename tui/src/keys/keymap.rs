//! Which keys lead to which action, after a person changed some in `config.toml`.

use std::collections::BTreeMap;

use super::{Action, Chord, Context, NoKey, Sequence, Spec, TABLE};

/// A key that leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Binding {
    context: Context,
    sequence: Sequence,
    action: Action,
}

/// Which keys lead to which action.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: Vec<Binding>,
    /// Hints are for a terminal that has ASCII only.
    ascii: bool,
}

/// What typed keys lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Action(Action),
    /// More has to follow.
    Prefix,
    Nothing,
}

/// What is wrong with the keys in `config.toml`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    #[error("keys.{id}: there is no such action; `?` in the inbox lists them all")]
    Unknown { id: String },
    #[error("keys.{id}: {source}")]
    NoKey { id: String, source: NoKey },
    #[error("keys.{id}: `{keys}` belongs to `{other}` already; give that another key, or none with \"\"")]
    Taken { id: String, keys: String, other: String },
}

impl Keymap {
    /// The table's keys, with `changes` by action id; no keys unbind.
    pub fn new(changes: &BTreeMap<String, Vec<String>>, ascii: bool) -> Result<Self, KeymapError> {
        if let Some(id) = changes.keys().find(|id| TABLE.iter().all(|spec| spec.id != id.as_str())) {
            return Err(KeymapError::Unknown { id: id.clone() });
        }
        let mut keymap = Self { bindings: Vec::new(), ascii };
        // What a person changed comes last, so that it is what a conflict is blamed on.
        let is_changed = |spec: &&Spec| changes.contains_key(spec.id);
        let untouched = TABLE.iter().filter(|spec| !is_changed(spec));
        for spec in untouched.chain(TABLE.iter().filter(is_changed)) {
            let own: Vec<&str> = match changes.get(spec.id) {
                Some(keys) => keys.iter().map(String::as_str).filter(|keys| !keys.is_empty()).collect(),
                None => spec.keys.to_vec(),
            };
            for keys in own {
                let sequence: Sequence =
                    keys.parse().map_err(|source| KeymapError::NoKey { id: spec.id.into(), source })?;
                keymap.bind(spec.action, spec.contexts, &sequence)?;
            }
        }
        Ok(keymap)
    }

    fn bind(&mut self, action: Action, contexts: &[Context], sequence: &Sequence) -> Result<(), KeymapError> {
        let in_the_way = |known: &&Binding| {
            contexts.contains(&known.context)
                && (known.sequence.begins_with(&sequence.0) || sequence.begins_with(&known.sequence.0))
        };
        if let Some(other) = self.bindings.iter().find(in_the_way) {
            let (id, other) = (action.spec().id.into(), other.action.spec().id.into());
            return Err(KeymapError::Taken { id, keys: sequence.hint(), other });
        }
        let binding = |context: &Context| Binding { context: *context, sequence: sequence.clone(), action };
        self.bindings.extend(contexts.iter().map(binding));
        Ok(())
    }

    /// What `typed` leads to in `context`.
    pub fn find(&self, context: Context, typed: &[Chord]) -> Found {
        let mut reachable = self.reachable(context, typed);
        match reachable.next() {
            Some(binding) if binding.sequence.0 == typed => Found::Action(binding.action),
            Some(_) => Found::Prefix,
            None => Found::Nothing,
        }
    }

    /// Where one can go on after `typed`.
    pub fn continuations(&self, context: Context, typed: &[Chord]) -> Vec<(String, Action)> {
        let rest = |binding: &Binding| {
            let sequence = Sequence(binding.sequence.0[typed.len()..].to_vec());
            (self.show(&sequence), binding.action)
        };
        self.reachable(context, typed).map(rest).collect()
    }

    /// The first keys that lead to `action`, for hints.
    pub fn hint(&self, action: Action) -> Option<String> {
        self.bindings.iter().find(|binding| binding.action == action).map(|binding| self.show(&binding.sequence))
    }

    /// All keys that lead to `action`, for help.
    pub fn hints(&self, action: Action) -> Vec<String> {
        let mut hints: Vec<String> = Vec::new();
        for binding in self.bindings.iter().filter(|binding| binding.action == action) {
            let hint = self.show(&binding.sequence);
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints
    }

    fn show(&self, sequence: &Sequence) -> String {
        let hint = sequence.hint();
        if self.ascii { hint.replace('⏎', "Enter") } else { hint }
    }

    fn reachable(&self, context: Context, typed: &[Chord]) -> impl Iterator<Item = &Binding> {
        let typed = typed.to_vec();
        self.bindings.iter().filter(move |binding| binding.context == context && binding.sequence.begins_with(&typed))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::keys::Group;

    fn changed(id: &str, keys: &[&str]) -> Result<Keymap, KeymapError> {
        Keymap::new(&BTreeMap::from([(id.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())]), false)
    }

    fn chords(keys: &str) -> Vec<Chord> {
        keys.parse::<Sequence>().unwrap().0
    }

    #[test]
    fn no_two_actions_share_a_key_in_one_context() {
        Keymap::new(&BTreeMap::new(), false).unwrap();
    }

    #[test]
    fn every_action_has_one_line_with_a_name_of_its_own() {
        let ids: HashSet<&str> = TABLE.iter().map(|spec| spec.id).collect();
        let actions: HashSet<Action> = TABLE.iter().map(|spec| spec.action).collect();
        assert_eq!((ids.len(), actions.len()), (TABLE.len(), TABLE.len()));
        // `Quit` is the last variant: fieldless variants count from 0.
        assert_eq!(TABLE.len(), Action::Quit as usize + 1, "every action stands in the table");
        for spec in TABLE {
            assert!(!spec.contexts.is_empty() && !spec.keys.is_empty() && !spec.label.is_empty(), "{}", spec.id);
            assert!(Group::ALL.contains(&spec.group), "{}", spec.id);
        }
    }

    #[test]
    fn hints_have_their_own_places_in_every_context() {
        for context in Context::ALL {
            let hints: Vec<u8> = TABLE
                .iter()
                .filter(|spec| spec.hint > 0 && spec.contexts.contains(&context))
                .map(|spec| spec.hint)
                .collect();
            assert_eq!(hints.iter().collect::<HashSet<_>>().len(), hints.len(), "{context:?}");
        }
    }

    #[test]
    fn sequences_are_found_step_by_step() {
        let keymap = Keymap::new(&BTreeMap::new(), false).unwrap();
        assert_eq!(keymap.find(Context::Queue, &chords("g")), Found::Prefix);
        assert_eq!(keymap.find(Context::Queue, &chords("g g")), Found::Action(Action::Top));
        assert_eq!(keymap.find(Context::Queue, &chords("g x")), Found::Nothing);
        assert_eq!(keymap.find(Context::Compose, &chords("t")), Found::Nothing);
        assert_eq!(keymap.continuations(Context::Queue, &chords("g")), [("g".to_owned(), Action::Top)]);
    }

    #[test]
    fn keys_can_be_changed_and_a_bad_change_is_named() {
        let keymap = changed("take", &["ctrl+t"]).unwrap();
        assert_eq!(keymap.find(Context::Queue, &chords("ctrl+t")), Found::Action(Action::Take));
        assert_eq!(keymap.find(Context::Queue, &chords("t")), Found::Nothing);
        assert_eq!(keymap.hint(Action::Take), Some("^t".into()));
        assert_eq!(changed("take", &[""]).unwrap().hint(Action::Take), None);
        let wrong = |id, keys: &[&str]| changed(id, keys).unwrap_err().to_string();
        assert!(wrong("fly", &["f"]).starts_with("keys.fly: there is no such action"));
        assert!(wrong("take", &["hyper+t"]).contains("`hyper+t` is no key"));
        assert!(wrong("take", &["b"]).contains("`b` belongs to"));
        assert!(wrong("take", &["g"]).contains("`g"));
    }
}
