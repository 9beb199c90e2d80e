//! What a file names: `use a::{b, c::d}` spread out, `super` and `self` resolved.

use super::{Code, Kind, Token};

/// A path that a file names. One of its own crate begins with `crate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    pub parts: Vec<String>,
}

impl Named {
    /// The module at the root of its own crate that it leads into; `*` for all of them.
    pub fn own(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [root, top, ..] if root == "crate" => Some(top),
            _ => None,
        }
    }

    /// Whether it begins like that: `std::fs`.
    pub fn is_in(&self, path: &str) -> bool {
        let mut parts = self.parts.iter();
        path.split("::").all(|part| parts.next().is_some_and(|own| own == part))
    }
}

/// Words that a path can follow, but not begin with or go on from.
const KEYWORDS: [&str; 12] = ["as", "dyn", "else", "for", "if", "impl", "in", "match", "move", "mut", "return", "use"];

/// All paths of two parts or more in `code`, which stands in `module` of its crate.
pub(super) fn names(code: &Code, module: &[&str]) -> Vec<Named> {
    let module = module.iter().map(|part| (*part).to_owned()).collect();
    let mut reader = Reader { tokens: &code.0, module, depth: 0, opened: Vec::new(), found: Vec::new() };
    let mut at = 0;
    while at < code.0.len() {
        at = if reader.begins(at) {
            reader.tree(at, Vec::new())
        } else {
            reader.brace(at);
            at + 1
        };
    }
    reader.found
}

struct Reader<'a> {
    tokens: &'a [Token],
    module: Vec<String>,
    depth: usize,
    /// The depths at which modules within this file were opened.
    opened: Vec<usize>,
    found: Vec<Named>,
}

impl Reader<'_> {
    /// Whether a path of two parts or more begins here.
    fn begins(&self, at: usize) -> bool {
        let goes_on = at >= 3 && self.is_join(at - 2) && (self.is_word(at - 3) || self.is_sign(at - 3, ">"));
        self.is_word(at) && self.is_join(at + 1) && !goes_on
    }

    /// Keeps what `use` tree or path stands at `at`, behind `prefix`; where it ends.
    fn tree(&mut self, at: usize, mut prefix: Vec<String>) -> usize {
        if self.is_sign(at, "{") {
            return self.group(at + 1, &prefix);
        }
        let Some(token) = self.tokens.get(at) else { return at };
        // `{self}` names the module itself.
        if prefix.is_empty() || token.text != "self" {
            prefix.push(token.text.clone());
        }
        let joined = token.kind == Kind::Word && self.is_join(at + 1);
        if joined && (self.is_word(at + 3) || self.is_sign(at + 3, "{") || self.is_sign(at + 3, "*")) {
            return self.tree(at + 3, prefix);
        }
        let line = token.line;
        let parts = self.resolve(prefix);
        self.found.push(Named { line, parts });
        at + 1
    }

    fn group(&mut self, mut at: usize, prefix: &[String]) -> usize {
        while at < self.tokens.len() && !self.is_sign(at, "}") {
            at = self.tree(at, prefix.to_vec());
            // `as name`, and the comma.
            while at < self.tokens.len() && !self.is_sign(at, "}") && !self.is_sign(at, ",") {
                at += 1;
            }
            at += usize::from(self.is_sign(at, ","));
        }
        at + 1
    }

    fn resolve(&self, parts: Vec<String>) -> Vec<String> {
        let up = parts.iter().take_while(|part| *part == "super").count();
        let own = usize::from(parts.first().is_some_and(|part| part == "self"));
        if up + own == 0 {
            return parts;
        }
        let module = &self.module[..self.module.len().saturating_sub(up)];
        let rest = &parts[up + own..];
        std::iter::once("crate".to_owned()).chain(module.iter().cloned()).chain(rest.iter().cloned()).collect()
    }

    /// Keeps track of the modules within the file.
    fn brace(&mut self, at: usize) {
        if self.is_sign(at, "{") {
            self.depth += 1;
            if at >= 2 && self.tokens[at - 2].text == "mod" && self.is_word(at - 1) {
                self.module.push(self.tokens[at - 1].text.clone());
                self.opened.push(self.depth);
            }
        } else if self.is_sign(at, "}") {
            if self.opened.last() == Some(&self.depth) {
                self.opened.pop();
                self.module.pop();
            }
            self.depth = self.depth.saturating_sub(1);
        }
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Word && !KEYWORDS.contains(&token.text.as_str()))
    }

    fn is_sign(&self, at: usize, sign: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Sign && token.text == sign)
    }

    fn is_join(&self, at: usize) -> bool {
        self.is_sign(at, ":") && self.is_sign(at + 1, ":")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(module: &[&str], text: &str) -> Vec<String> {
        names(&Code::read(text), module).into_iter().map(|named| named.parts.join("::")).collect()
    }

    #[test]
    fn groups_are_spread_out() {
        let found = read(&[], "use crate::{a, b::{self, c as d, e::*}, f::G}; use ::http::Method;");
        assert_eq!(found, ["crate::a", "crate::b", "crate::b::c", "crate::b::e::*", "crate::f::G", "http::Method"]);
    }

    #[test]
    fn paths_within_code_are_found_too() {
        let found = read(&[], "fn f(x: &a::B<crate::c::D>) -> u8 { $crate::e::f::<g::H>(x)::i * j::k }");
        assert_eq!(found, ["a::B", "crate::c::D", "crate::e::f", "g::H", "j::k"]);
    }

    #[test]
    fn super_is_seen_from_where_it_stands() {
        let text = "use super::{x, super::y}; mod inner { use super::z; } use super::w; use self::v;";
        let found = read(&["store", "engine"], text);
        assert_eq!(
            found,
            ["crate::store::x", "crate::y", "crate::store::engine::z", "crate::store::w", "crate::store::engine::v"]
        );
    }
}
