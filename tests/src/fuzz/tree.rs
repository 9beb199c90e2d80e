//! JSON as text in a tree, so that it can be what no writer of JSON would write: a key twice, half a
//! character, a number that is none.

use serde_json::Value;

/// A value; every token stands as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Token(String),
    Array(Vec<Node>),
    /// Keys with their quotation marks.
    Object(Vec<(String, Node)>),
}

impl Node {
    pub fn token(text: impl Into<String>) -> Self {
        Self::Token(text.into())
    }

    /// How many values this one holds, with itself.
    pub fn count(&self) -> usize {
        1 + self.children().map(Self::count).sum::<usize>()
    }

    pub fn is_string(&self) -> bool {
        matches!(self, Self::Token(token) if token.starts_with('"'))
    }

    pub fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Token(_) => Box::new(std::iter::empty()),
            Self::Array(elements) => Box::new(elements.iter()),
            Self::Object(entries) => Box::new(entries.iter().map(|(_, value)| value)),
        }
    }

    /// The value with this number, counted from 0 (this one) as they are written.
    pub fn nth(&self, number: usize) -> Option<&Self> {
        let mut left = number;
        self.find(&mut left)
    }

    fn find(&self, left: &mut usize) -> Option<&Self> {
        if *left == 0 {
            return Some(self);
        }
        *left -= 1;
        self.children().find_map(|child| child.find(left))
    }

    pub fn nth_mut(&mut self, number: usize) -> Option<&mut Self> {
        let mut left = number;
        self.find_mut(&mut left)
    }

    fn find_mut(&mut self, left: &mut usize) -> Option<&mut Self> {
        if *left == 0 {
            return Some(self);
        }
        *left -= 1;
        match self {
            Self::Token(_) => None,
            Self::Array(elements) => elements.iter_mut().find_map(|child| child.find_mut(left)),
            Self::Object(entries) => entries.iter_mut().find_map(|(_, child)| child.find_mut(left)),
        }
    }

    /// What holds the value with this number, and its place in there; the root is held by nothing.
    pub fn holder_mut(&mut self, number: usize) -> Option<(&mut Self, usize)> {
        let mut left = number.checked_sub(1)?;
        self.find_holder(&mut left)
    }

    fn find_holder(&mut self, left: &mut usize) -> Option<(&mut Self, usize)> {
        let mut found = None;
        for (place, child) in self.children().enumerate() {
            let count = child.count();
            if *left < count {
                found = Some(place);
                break;
            }
            *left -= count;
        }
        let place = found?;
        if *left == 0 {
            return Some((self, place));
        }
        *left -= 1;
        match self {
            Self::Token(_) => None,
            Self::Array(elements) => elements[place].find_holder(left),
            Self::Object(entries) => entries[place].1.find_holder(left),
        }
    }

    pub fn write(&self) -> Vec<u8> {
        let mut text = String::new();
        self.write_to(&mut text);
        text.into_bytes()
    }

    fn write_to(&self, text: &mut String) {
        match self {
            Self::Token(token) => text.push_str(token),
            Self::Array(elements) => {
                text.push('[');
                for (place, element) in elements.iter().enumerate() {
                    text.push_str(if place > 0 { "," } else { "" });
                    element.write_to(text);
                }
                text.push(']');
            }
            Self::Object(entries) => {
                text.push('{');
                for (place, (key, value)) in entries.iter().enumerate() {
                    text.push_str(if place > 0 { "," } else { "" });
                    text.push_str(key);
                    text.push(':');
                    value.write_to(text);
                }
                text.push('}');
            }
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Value::Object(object) => Self::Object(
                object.iter().map(|(key, value)| (Value::from(key.as_str()).to_string(), Self::from(value))).collect(),
            ),
            token => Self::Token(token.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_writes_what_it_read_and_counts_as_it_writes() {
        let value = json!({"a": [1, {"b": "x"}], "c": null});
        let mut node = Node::from(&value);
        assert_eq!(serde_json::from_slice::<Value>(&node.write()).unwrap(), value);
        assert_eq!(node.count(), 6);
        assert_eq!(node.nth(4), Some(&Node::token("\"x\"")));
        assert_eq!((node.nth(5), node.nth(6)), (Some(&Node::token("null")), None));
        for number in 1..node.count() {
            let wanted = node.nth(number).cloned();
            let (holder, place) = node.holder_mut(number).unwrap();
            assert_eq!(holder.children().nth(place), wanted.as_ref());
        }
        assert!(node.holder_mut(0).is_none());
    }
}
