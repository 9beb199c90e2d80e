//! Rust as a row of words, texts and signs: comments gone, texts told from code.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    /// A string or a character, as written between its quotes.
    Text,
    Sign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    pub line: usize,
    /// Inside a module that only tests have.
    pub in_test: bool,
}

/// A file's tokens.
#[derive(Clone, Debug, Default)]
pub struct Code(pub Vec<Token>);

impl Code {
    pub fn read(text: &str) -> Self {
        let mut reader = Reader { chars: text.chars().collect(), at: 0, line: 1, tokens: Vec::new() };
        while reader.step() {}
        let mut tokens = reader.tokens;
        mark_tests(&mut tokens);
        Self(tokens)
    }

    pub fn words(&self) -> impl Iterator<Item = &Token> {
        self.0.iter().filter(|token| token.kind == Kind::Word)
    }

    pub fn texts(&self) -> impl Iterator<Item = &Token> {
        self.0.iter().filter(|token| token.kind == Kind::Text)
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader {
    /// Reads one token, comment or space; whether there was one.
    fn step(&mut self) -> bool {
        let Some(c) = self.peek(0) else { return false };
        match (c, self.peek(1)) {
            ('/', Some('/')) => self.skip_while(|c| c != '\n'),
            ('/', Some('*')) => self.skip_block(),
            ('"', _) => self.text(1, '"'),
            ('b' | 'c', Some('"')) => self.text(2, '"'),
            ('b', Some('\'')) => self.text(2, '\''),
            ('\'', _) if self.is_character() => self.text(1, '\''),
            ('r', Some('"' | '#')) if self.raw(1) => (),
            ('b', Some('r')) if self.raw(2) => (),
            _ if c.is_alphanumeric() || c == '_' => self.word(),
            _ if c.is_whitespace() => self.skip(1),
            _ => {
                let line = self.line;
                self.next();
                self.push(Kind::Sign, c.to_string(), line);
            }
        }
        true
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token { kind, text, line, in_test: false });
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.next();
        }
    }

    fn skip_block(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return,
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                _ => {
                    self.next();
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// A quote that begins a character, not a lifetime.
    fn is_character(&self) -> bool {
        self.peek(1) == Some('\\') || self.peek(2) == Some('\'')
    }

    fn text(&mut self, opening: usize, quote: char) {
        let line = self.line;
        self.skip(opening);
        let mut text = String::new();
        while let Some(c) = self.next().filter(|c| *c != quote) {
            text.push(c);
            if c == '\\' {
                text.extend(self.next());
            }
        }
        self.push(Kind::Text, text, line);
    }

    /// `r"..."`, `r#"..."#`; whether it is one (`r#type` is a word).
    fn raw(&mut self, opening: usize) -> bool {
        let mut hashes = 0;
        while self.peek(opening + hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(opening + hashes) != Some('"') {
            return false;
        }
        let line = self.line;
        self.skip(opening + hashes + 1);
        let mut text = String::new();
        while self.peek(0).is_some() {
            let ends = self.peek(0) == Some('"') && (1..=hashes).all(|n| self.peek(n) == Some('#'));
            if ends {
                self.skip(hashes + 1);
                break;
            }
            text.extend(self.next());
        }
        // A backslash means itself here; doubled, it reads as in any other text.
        self.push(Kind::Text, text.replace('\\', "\\\\"), line);
        true
    }

    fn word(&mut self) {
        let line = self.line;
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.next();
        }
        self.push(Kind::Word, word, line);
    }
}

/// Marks what stands in `#[cfg(test)] mod x { ... }`.
fn mark_tests(tokens: &mut [Token]) {
    const OPENING: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut at = 0;
    while at + OPENING.len() < tokens.len() {
        let opens = OPENING.iter().zip(&tokens[at..]).all(|(word, token)| token.text == *word);
        at += 1;
        if !opens {
            continue;
        }
        let mut depth = 0_i32;
        for token in &mut tokens[at..] {
            token.in_test = true;
            match (token.kind, token.text.as_str()) {
                (Kind::Sign, "{") => depth += 1,
                (Kind::Sign, "}") => depth -= 1,
                (Kind::Sign, ";") if depth == 0 => break,
                _ => continue,
            }
            if depth == 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        Code::read(text).0.into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn comments_are_gone_and_texts_are_not_code() {
        let code = Code::read("// crate::bot\n/* a /* b */ c */ let x = \"crate::bot // \\\" y\"; r#type");
        let words: Vec<&str> = code.words().map(|token| token.text.as_str()).collect();
        assert_eq!(words, ["let", "x", "r", "type"]);
        assert_eq!(code.texts().map(|token| token.line).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_lifetime_is_no_character() {
        assert_eq!(
            kinds("'a 'b' b'\\'' r#\"say \"\\n\"\"# b\"x\""),
            [
                (Kind::Sign, "'".into()),
                (Kind::Word, "a".into()),
                (Kind::Text, "b".into()),
                (Kind::Text, "\\'".into()),
                (Kind::Text, "say \"\\\\n\"".into()),
                (Kind::Text, "x".into()),
            ]
        );
    }

    #[test]
    fn the_inside_of_a_test_module_is_known() {
        let code = Code::read("fn a() { b() } #[cfg(test)] mod tests { fn c() { d() } } fn e() {}");
        let inside: Vec<&str> = code.words().filter(|word| word.in_test).map(|word| word.text.as_str()).collect();
        assert_eq!(inside, ["cfg", "test", "mod", "tests", "fn", "c", "d"]);
    }
}
