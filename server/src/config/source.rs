//! Reads tables key by key, so that every error knows its place and every key not asked for is found.

use std::{cell::RefCell, ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{ConfigError, one_line, quoted},
    nearest::nearest,
};

/// Looks up a variable of the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A TOML text and what its places are called in errors.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    root: DeTable<'a>,
}

/// One table, possibly absent from the file: keys may also come from the environment.
pub(super) struct Section<'a> {
    file: &'a str,
    text: &'a str,
    path: String,
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    variables: Option<Variables<'a>>,
    asked: RefCell<Vec<String>>,
}

/// How a key of a section is called in the environment.
#[derive(Clone)]
pub(super) struct Variables<'a> {
    pub environment: Environment<'a>,
    /// `None`: the keys of this section stand only in the file.
    pub prefix: Option<String>,
    pub suffix: String,
}

/// One value that is not a table or a list, as text, with its place.
pub(super) struct Scalar {
    pub text: String,
    place: String,
    key: String,
    from_file: bool,
}

impl<'a> Source<'a> {
    pub(super) fn parse(file: &'a str, text: &'a str) -> Result<Self, ConfigError> {
        let root = DeTable::parse(text).map_err(|error| ConfigError {
            place: place(file, text, error.span().unwrap_or_default()),
            key: String::new(),
            found: format!("a mistake in the TOML ({})", one_line(error.message())),
            expected: "a TOML file".into(),
        })?;
        Ok(Self { file, text, root: root.into_inner() })
    }

    /// As errors call it.
    pub(super) const fn file(&self) -> &str {
        self.file
    }

    pub(super) fn root(&'a self, variables: Option<Variables<'a>>) -> Section<'a> {
        Section {
            file: self.file,
            text: self.text,
            path: String::new(),
            span: 0..0,
            table: Some(&self.root),
            variables,
            asked: RefCell::default(),
        }
    }
}

impl<'a> Section<'a> {
    /// Whether the file has this table.
    pub(super) fn is_in_file(&self) -> bool {
        self.table.is_some()
    }

    pub(super) fn scalar(&self, key: &str) -> Result<Option<Scalar>, ConfigError> {
        let in_file = self.value(key);
        if let Some((name, text)) = self.variable(key) {
            return Ok(Some(Scalar { text, place: "environment".into(), key: name, from_file: false }));
        }
        let Some((span, value)) = in_file else { return Ok(None) };
        let text = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return Err(self.error(key, span, kind(value), "a text or a number"));
            }
        };
        Ok(Some(Scalar { text, place: place(self.file, self.text, span), key: self.name(key), from_file: true }))
    }

    /// The value of `key`, made into a `T`; `expected` says of what form it must be.
    pub(super) fn parse<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.scalar(key)?.map(|scalar| scalar.parse(expected, parse)).transpose()
    }

    /// Like [`parse`](Self::parse), for a key that must be there.
    pub(super) fn require<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.parse(key, expected, parse)?.ok_or_else(|| self.missing(key, expected))
    }

    /// A list of texts, each with its line's place; empty if there is none.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<Scalar>, ConfigError> {
        let expected = "a list of texts";
        match self.value(key) {
            None => Ok(Vec::new()),
            Some((_, DeValue::Array(items))) => items.iter().map(|item| self.text_item(key, item)).collect(),
            Some((span, other)) => Err(self.error(key, span, kind(other), expected)),
        }
    }

    /// The table `key`; an empty one if the file has none.
    pub(super) fn table(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        match self.value(key) {
            None => Ok(self.child(key, self.span.clone(), None)),
            Some((span, DeValue::Table(table))) => Ok(self.child(key, span, Some(table))),
            Some((span, other)) => Err(self.error(key, span, kind(other), "a table")),
        }
    }

    /// The tables of `[[key]]`; `[key]` counts as one.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some((span, DeValue::Table(table))) => Ok(vec![self.child(key, span, Some(table))]),
            Some((_, DeValue::Array(items))) => {
                (1..).zip(items).map(|(n, item)| self.table_item(key, n, item)).collect()
            }
            Some((span, other)) => Err(self.error(key, span, kind(other), "a list of tables")),
        }
    }

    /// Whether `key` holds a list.
    pub(super) fn is_list(&self, key: &str) -> bool {
        matches!(self.value(key), Some((_, DeValue::Array(_))))
    }

    /// Whether `key` holds a text.
    pub(super) fn is_text(&self, key: &str) -> bool {
        matches!(self.value(key), Some((_, DeValue::String(_))))
    }

    /// All keys of this table, for tables whose keys the operator chooses (languages).
    pub(super) fn keys(&self) -> Vec<String> {
        self.table.into_iter().flat_map(|table| table.keys()).map(|key| key.get_ref().to_string()).collect()
    }

    /// The same section with its keys called otherwise in the environment.
    pub(super) fn with_variables(mut self, prefix: &str, suffix: &str) -> Self {
        if let Some(variables) = &mut self.variables {
            variables.prefix = Some(prefix.into());
            variables.suffix = suffix.into();
        }
        self
    }

    /// Fails on the first key that nobody asked for.
    pub(super) fn finish(&self) -> Result<(), ConfigError> {
        let asked = self.asked.borrow();
        let Some(unknown) = self
            .table
            .into_iter()
            .flat_map(|table| table.keys())
            .filter(|key| !asked.iter().any(|asked| asked == key.get_ref()))
            .min_by_key(|key| key.span().start)
        else {
            return Ok(());
        };
        let mut known: Vec<&str> = asked.iter().map(String::as_str).collect();
        known.sort_unstable();
        known.dedup();
        let expected = match nearest(unknown.get_ref(), known.iter().copied()) {
            Some(name) => format!("`{name}`"),
            None => format!("one of {}", known.join(", ")),
        };
        Err(self.error(unknown.get_ref(), unknown.span(), "a key that does not exist", &expected))
    }

    /// A key that must be there is not; perhaps it is, misspelt.
    pub(super) fn missing(&self, key: &str, expected: &str) -> ConfigError {
        let keys = self.keys();
        let strangers = keys.iter().map(String::as_str).filter(|name| !self.asked.borrow().iter().any(|a| a == name));
        if let Some(slip) = nearest(key, strangers) {
            return self.wrong(slip, "a key that does not exist", &format!("`{key}`"));
        }
        let expected = match self.variable_name(key) {
            Some(name) => format!("{expected} (here or as {name} in the environment)"),
            None => expected.to_owned(),
        };
        self.error(key, self.span.clone(), "nothing", &expected)
    }

    /// An error at the place of `key`, or of this table if the file does not have it.
    pub(super) fn wrong(&self, key: &str, found: &str, expected: &str) -> ConfigError {
        let span = self.value(key).map_or_else(|| self.span.clone(), |(span, _)| span);
        self.error(key, span, found, expected)
    }

    /// The file's value of `key`, with its span; asking makes the key known.
    fn value(&self, key: &str) -> Option<(Range<usize>, &'a DeValue<'a>)> {
        self.asked.borrow_mut().push(key.to_owned());
        let value: &Spanned<DeValue<'a>> = self.table?.get(key)?;
        Some((value.span(), value.get_ref()))
    }

    /// An empty variable counts as not set: that is what a compose file makes of a missing one.
    fn variable(&self, key: &str) -> Option<(String, String)> {
        let name = self.variable_name(key)?;
        let text = (self.variables.as_ref()?.environment)(&name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| (name, text.to_owned()))
    }

    fn variable_name(&self, key: &str) -> Option<String> {
        let variables = self.variables.as_ref()?;
        let prefix = variables.prefix.as_ref()?;
        Some(format!("{prefix}{}{}", key.to_uppercase(), variables.suffix))
    }

    fn child(&self, key: &str, span: Range<usize>, table: Option<&'a DeTable<'a>>) -> Section<'a> {
        let longer = |prefix: String| format!("{prefix}{}_", key.to_uppercase());
        let variables =
            self.variables.clone().map(|variables| Variables { prefix: variables.prefix.map(longer), ..variables });
        Section { path: self.name(key), span, table, variables, asked: RefCell::default(), ..*self }
    }

    fn text_item(&self, key: &str, item: &'a Spanned<DeValue<'a>>) -> Result<Scalar, ConfigError> {
        match item.get_ref() {
            DeValue::String(text) => Ok(Scalar {
                text: text.to_string(),
                place: place(self.file, self.text, item.span()),
                key: self.name(key),
                from_file: true,
            }),
            other => Err(self.error(key, item.span(), kind(other), "a text")),
        }
    }

    fn table_item(&self, key: &str, n: usize, item: &'a Spanned<DeValue<'a>>) -> Result<Section<'a>, ConfigError> {
        let key = format!("{key}[{n}]");
        match item.get_ref() {
            DeValue::Table(table) => {
                let mut child = self.child(&key, item.span(), Some(table));
                // A variable cannot say which of several it means, unless the tables have names.
                child.variables.iter_mut().for_each(|variables| variables.prefix = None);
                Ok(child)
            }
            other => Err(self.error(&key, item.span(), kind(other), "a table")),
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn error(&self, key: &str, span: Range<usize>, found: &str, expected: &str) -> ConfigError {
        ConfigError {
            place: place(self.file, self.text, span),
            key: self.name(key),
            found: found.into(),
            expected: expected.into(),
        }
    }
}

impl Scalar {
    pub(super) fn is_from_file(&self) -> bool {
        self.from_file
    }

    pub(super) fn parse<T>(self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, ConfigError> {
        match parse(&self.text) {
            Some(value) => Ok(value),
            None => Err(self.wrong(expected)),
        }
    }

    pub(super) fn wrong(&self, expected: &str) -> ConfigError {
        let name = self.key.to_lowercase();
        let secret = ["secret", "token", "api_key", "database_url"].iter().any(|part| name.contains(part));
        let found = match self.text.split_once("://") {
            _ if self.text.is_empty() => "nothing".into(),
            Some((scheme, _)) if name.contains("database_url") => quoted(&format!("{scheme}://")),
            _ if secret => format!("{} characters", self.text.chars().count()),
            _ => quoted(&self.text),
        };
        self.error(&found, expected)
    }

    /// An error at this place with words of its own for what was found.
    pub(super) fn error(&self, found: &str, expected: &str) -> ConfigError {
        ConfigError { place: self.place.clone(), key: self.key.clone(), found: found.into(), expected: expected.into() }
    }
}

/// Reads a whole file as text.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|why| ConfigError::unreadable(path, &why))
}

/// A text that is not empty.
pub(super) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn place(file: &str, text: &str, span: Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or(text);
    match span {
        Range { start: 0, end: 0 } => file.to_owned(),
        _ => format!("{file}:{}", 1 + before.matches('\n').count()),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
