//! What can be wrong with a body: each change alone at each of its values, then several by chance.

use fastrand::Rng;

use super::tree::Node;

/// One change at one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Missing,
    Null,
    EmptyText,
    EmptyArray,
    EmptyObject,
    Negative,
    Huge,
    Fraction,
    NotEvenANumber,
    True,
    /// A number becomes a text, a text a number.
    OtherForm,
    UnknownWord,
    LongText,
    Nul,
    HalfACharacter,
    Escapes,
    Turned,
    BrokenJsonText,
    InAnArray,
    InAnObject,
    TwiceTheKey,
    Deep,
    TooDeep,
    Thousand,
    Backwards,
}

pub const CHANGES: [Change; 25] = [
    Change::Missing,
    Change::Null,
    Change::EmptyText,
    Change::EmptyArray,
    Change::EmptyObject,
    Change::Negative,
    Change::Huge,
    Change::Fraction,
    Change::NotEvenANumber,
    Change::True,
    Change::OtherForm,
    Change::UnknownWord,
    Change::LongText,
    Change::Nul,
    Change::HalfACharacter,
    Change::Escapes,
    Change::Turned,
    Change::BrokenJsonText,
    Change::InAnArray,
    Change::InAnObject,
    Change::TwiceTheKey,
    Change::Deep,
    Change::TooDeep,
    Change::Thousand,
    Change::Backwards,
];

/// So many elements the largest array has: as many updates as Meta puts into one body.
const MANY: usize = 1_000;
/// No body becomes larger by repeating what is in it.
const LARGE: usize = 2 * 1024 * 1024;

impl Change {
    /// Changes the value with this number; false where that makes no sense.
    pub fn apply(self, root: &mut Node, number: usize) -> bool {
        let token = match self {
            Self::Missing => return without(root, number),
            Self::TwiceTheKey => return twice(root, number),
            Self::Thousand => return many(root, number),
            Self::InAnArray | Self::InAnObject | Self::Deep | Self::TooDeep | Self::Backwards | Self::OtherForm => {
                return root.nth_mut(number).is_some_and(|node| self.reshape(node));
            }
            Self::Null => "null",
            Self::EmptyText => "\"\"",
            Self::EmptyArray => "[]",
            Self::EmptyObject => "{}",
            Self::Negative => "-1",
            Self::Huge => "92233720368547758079223372036854775807",
            Self::Fraction => "1.7e9",
            Self::NotEvenANumber => "1e999",
            Self::True => "true",
            Self::UnknownWord => "\"from_the_future\"",
            Self::Nul => r#""a\u0000b""#,
            Self::HalfACharacter => r#""a\ud83d b\ude00""#,
            Self::Escapes => r#""a\u001b[2J\u001b]52;c;aGk=\u0007\u009b31m\u0008\r\n\t""#,
            Self::Turned => r#""a\u202eb\u2066c\u200bd\u0301\u0301\ufeff\ue0001""#,
            Self::BrokenJsonText => r#""{\"flow_token\": [\"x\", {""#,
            Self::LongText => return set(root, number, format!("\"{}\"", "long \\u00e9 ".repeat(6_000))),
        };
        set(root, number, token.into())
    }

    fn reshape(self, node: &mut Node) -> bool {
        let old = std::mem::replace(node, Node::token("null"));
        *node = match (self, old) {
            (Self::InAnArray, old) => Node::Array(vec![old]),
            (Self::InAnObject, old) => Node::Object(vec![("\"value\"".into(), old)]),
            (Self::Deep, old) => (0..40).fold(old, |inner, _| Node::Array(vec![inner])),
            (Self::TooDeep, old) => (0..200).fold(old, |inner, _| Node::Object(vec![("\"in\"".into(), inner)])),
            (Self::Backwards, Node::Array(mut elements)) if elements.len() > 1 => {
                elements.reverse();
                Node::Array(elements)
            }
            (Self::OtherForm, Node::Token(token)) => Node::Token(other_form(&token)),
            (_, old) => {
                *node = old;
                return false;
            }
        };
        true
    }
}

fn set(root: &mut Node, number: usize, token: String) -> bool {
    let Some(node) = root.nth_mut(number) else { return false };
    *node = Node::Token(token);
    true
}

fn without(root: &mut Node, number: usize) -> bool {
    match root.holder_mut(number) {
        Some((Node::Array(elements), place)) => drop(elements.remove(place)),
        Some((Node::Object(entries), place)) => drop(entries.remove(place)),
        _ => return false,
    }
    true
}

/// The key once more with another value: nobody can know which one counts.
fn twice(root: &mut Node, number: usize) -> bool {
    let Some((Node::Object(entries), place)) = root.holder_mut(number) else { return false };
    let (key, value) = entries[place].clone();
    let other = if value.is_string() { Node::token("\"another\"") } else { Node::Array(vec![]) };
    entries.insert(place, (key, other));
    true
}

/// An array's first element a thousand times, under ids of their own.
fn many(root: &mut Node, number: usize) -> bool {
    let Some(Node::Array(elements)) = root.nth_mut(number) else { return false };
    let Some(first) = elements.first().cloned() else { return false };
    let times = MANY.min(LARGE / first.write().len().max(1));
    elements.extend((1..times).map(|time| renamed(&first, time)));
    true
}

fn renamed(node: &Node, time: usize) -> Node {
    match node {
        Node::Token(token) if token.starts_with("\"wamid") => {
            Node::Token(format!("{}-{time}\"", &token[..token.len() - 1]))
        }
        Node::Token(_) => node.clone(),
        Node::Array(elements) => Node::Array(elements.iter().map(|element| renamed(element, time)).collect()),
        Node::Object(entries) => {
            Node::Object(entries.iter().map(|(key, value)| (key.clone(), renamed(value, time))).collect())
        }
    }
}

fn other_form(token: &str) -> String {
    match token.strip_prefix('"') {
        None => format!("\"{token}\""),
        Some(text) => {
            let digits: String = text.chars().filter(char::is_ascii_digit).take(18).collect();
            let digits = digits.trim_start_matches('0');
            if digits.is_empty() { "0".into() } else { digits.into() }
        }
    }
}

/// Several changes, parts of other bodies, and broken bytes.
pub fn by_chance(rng: &mut Rng, root: &Node, others: &[Node]) -> Vec<u8> {
    let mut node = root.clone();
    for _ in 0..rng.usize(1..5) {
        match rng.u8(..10) {
            0 => graft(rng, &mut node, others),
            1 => join(rng, &mut node, others),
            2 => swap(rng, &mut node),
            _ => {
                let change = CHANGES[rng.usize(..CHANGES.len())];
                let number = rng.usize(..node.count());
                change.apply(&mut node, number);
            }
        }
    }
    let bytes = node.write();
    if rng.u8(..6) == 0 { broken(rng, bytes) } else { bytes }
}

/// A value becomes one of another body.
fn graft(rng: &mut Rng, node: &mut Node, others: &[Node]) {
    let other = &others[rng.usize(..others.len())];
    let new = other.nth(rng.usize(..other.count())).cloned();
    let number = rng.usize(..node.count());
    if let (Some(place), Some(new)) = (node.nth_mut(number), new) {
        *place = new;
    }
}

/// Another body's entries before or after these.
fn join(rng: &mut Rng, node: &mut Node, others: &[Node]) {
    let entries = |node: &Node| match node {
        Node::Object(entries) => entries.iter().position(|(key, _)| key == "\"entry\""),
        _ => None,
    };
    let other = &others[rng.usize(..others.len())];
    let (Some(here), Some(there)) = (entries(node), entries(other)) else { return };
    if let (Node::Object(ours), Node::Object(theirs)) = (node, other)
        && let (Node::Array(ours), Node::Array(theirs)) = (&mut ours[here].1, &theirs[there].1)
    {
        let at = if rng.bool() { 0 } else { ours.len() };
        ours.splice(at..at, theirs.iter().cloned());
    }
}

/// Two values change places.
fn swap(rng: &mut Rng, node: &mut Node) {
    let (one, two) = (rng.usize(..node.count()), rng.usize(..node.count()));
    let (Some(first), Some(second)) = (node.nth(one).cloned(), node.nth(two).cloned()) else { return };
    if let Some(place) = node.nth_mut(one) {
        *place = second;
    }
    if let Some(place) = node.nth_mut(two) {
        *place = first;
    }
}

/// Bytes that were cut, flipped, doubled, or no text at all.
pub fn broken(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let at = rng.usize(..bytes.len());
    match rng.u8(..7) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << rng.u8(..8),
        2 => bytes.insert(at, rng.u8(..)),
        3 => drop(bytes.drain(at..(at + rng.usize(1..20)).min(bytes.len()))),
        4 => {
            let piece = bytes[at..(at + rng.usize(1..200)).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        5 => drop(bytes.splice(at..at, [0xed, 0xa0, 0x80, 0xff])),
        _ => drop(bytes.splice(0..0, [0xef, 0xbb, 0xbf])),
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_change_changes_something() {
        let root = Node::from(&json!({"entry": [{"id": "wamid.1", "n": 5}, {"t": "x7"}]}));
        for change in CHANGES {
            let changed = (0..root.count()).filter(|number| {
                let mut copy = root.clone();
                change.apply(&mut copy, *number) && copy != root
            });
            assert!(changed.count() > 0, "{change:?}");
        }
    }

    #[test]
    fn a_thousand_have_a_thousand_ids() {
        let mut root = Node::from(&json!([{"id": "wamid.1"}]));
        assert!(Change::Thousand.apply(&mut root, 0));
        let value: Value = serde_json::from_slice(&root.write()).unwrap();
        let ids: std::collections::BTreeSet<_> =
            value.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 1_000);
    }

    #[test]
    fn the_same_seed_breaks_the_same_way() {
        let root = Node::from(&json!({"entry": [{"id": "wamid.1", "n": 5}, {"t": "x7"}]}));
        let all = |seed| {
            let mut rng = Rng::with_seed(seed);
            (0..200).map(|_| by_chance(&mut rng, &root, std::slice::from_ref(&root))).collect::<Vec<_>>()
        };
        assert_eq!(all(3), all(3));
        assert_ne!(all(3), all(4));
    }
}
