//! A document cut into chunks: by headings first, then between paragraphs, sentences, words. No word is lost.
//!
//! A section is never mixed with its neighbour, for their headings say different things and a chunk is found by
//! its heading before all. One that is too long for a chunk is cut into pieces of about the same length, which
//! makes each at least half of the longest.

use super::documents::Block;

/// Characters that providers count as one token, roughly, in English; others have fewer.
const TOKEN: f32 = 3.8;
/// Of a chunk, in tokens: questions find 500 better than 300 in published comparisons.
pub const LONGEST: usize = 500;
/// Pieces of a long section are at least so long, but for the last word of a paragraph that does not fit.
pub const SHORTEST: usize = 200;
/// In characters: a heading is one line.
const HEADING: usize = 200;
/// Headings above a chunk that are kept: the innermost.
const DEPTH: usize = 4;

/// A piece of a document with the headings above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Outermost first: `Returns > Exchanges`; empty if there is none.
    pub heading: String,
    pub body: String,
}

/// How many tokens a text is, roughly.
pub fn tokens(text: &str) -> usize {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of a length"
    )]
    let tokens = (text.chars().count() as f32 / TOKEN).ceil() as usize;
    tokens
}

/// The pieces of a document, in its order.
pub fn chunks(blocks: &[Block]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut above: Vec<(u8, String)> = Vec::new();
    let mut section = String::new();
    // Whether the innermost heading stands above anything yet.
    let mut said = true;
    for block in blocks {
        match block {
            Block::Heading { level, text } => {
                let deeper = above.last().is_some_and(|(last, _)| level > last);
                close(&mut pieces, &above, &mut section, said || deeper);
                above.retain(|(other, _)| other < level);
                let text = one_line(text);
                said = text.is_empty();
                if !said {
                    above.push((*level, text));
                }
            }
            Block::Text(text) if !text.trim().is_empty() => {
                section.push_str(if section.is_empty() { "" } else { "\n\n" });
                section.push_str(text.trim());
                said = true;
            }
            Block::Text(_) => (),
        }
    }
    close(&mut pieces, &above, &mut section, said);
    pieces
}

/// Ends a section; a heading with nothing below it says all there is.
fn close(pieces: &mut Vec<Piece>, above: &[(u8, String)], section: &mut String, said: bool) {
    let heading = || {
        let kept = &above[above.len().saturating_sub(DEPTH)..];
        kept.iter().map(|(_, text)| cut(text)).collect::<Vec<_>>().join(" > ")
    };
    if let (false, Some((_, last))) = (said, above.last()) {
        pieces.extend(split(last).into_iter().map(|body| Piece { heading: heading(), body }));
        return;
    }
    // What a heading is too long for stands in the text as well.
    let long = above.last().filter(|(_, text)| text.chars().count() > HEADING && !section.is_empty());
    let text = match long {
        Some((_, text)) => format!("{text}\n\n{}", std::mem::take(section)),
        None => std::mem::take(section),
    };
    pieces.extend(split(&text).into_iter().map(|body| Piece { heading: heading(), body }));
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(HEADING).map_or(text, |(at, _)| &text[..at])
}

/// A text in parts of at most [`LONGEST`] tokens and about the same length.
fn split(text: &str) -> Vec<String> {
    let whole = tokens(text);
    if whole <= LONGEST {
        return if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    }
    let aim = whole.div_ceil(whole.div_ceil(LONGEST)).max(SHORTEST);
    let mut parts: Vec<String> = Vec::new();
    let mut part = Part::default();
    for paragraph in text.split("\n\n") {
        part.take(paragraph, Joint::Paragraph, aim, &mut parts);
    }
    parts.extend(Some(part.text).filter(|text| !text.is_empty()));
    parts
}

/// What stands between two pieces of text, and what may be cut apart in turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Paragraph,
    Line,
    Sentence,
    Word,
    Letter,
}

impl Joint {
    const fn mark(self) -> &'static str {
        match self {
            Self::Paragraph => "\n\n",
            Self::Line => "\n",
            Self::Sentence | Self::Word => " ",
            Self::Letter => "",
        }
    }

    const fn finer(self) -> Option<Self> {
        match self {
            Self::Paragraph => Some(Self::Line),
            Self::Line => Some(Self::Sentence),
            Self::Sentence => Some(Self::Word),
            Self::Word => Some(Self::Letter),
            Self::Letter => None,
        }
    }
}

/// A chunk that grows.
#[derive(Default)]
struct Part {
    text: String,
    /// In characters.
    length: usize,
}

impl Part {
    /// Takes in `unit`, cut as finely as it must be; full parts go to `parts`.
    fn take(&mut self, unit: &str, joint: Joint, aim: usize, parts: &mut Vec<String>) {
        let unit = unit.trim_matches(|c: char| joint != Joint::Letter && c.is_whitespace());
        if unit.is_empty() {
            return;
        }
        let length = unit.chars().count();
        if self.fits(length, joint, aim) {
            return self.add(unit, length, joint);
        }
        if self.has(SHORTEST) && within(length, aim) {
            parts.push(std::mem::take(self).text);
            return self.add(unit, length, joint);
        }
        match joint.finer() {
            Some(finer) => {
                for (number, unit) in units(unit, finer).into_iter().enumerate() {
                    // The first stands where the whole would.
                    let joint = if number == 0 && !self.text.is_empty() { joint } else { finer };
                    self.take_finer(unit, joint, finer, aim, parts);
                }
            }
            None => {
                parts.extend(Some(std::mem::take(self).text).filter(|text| !text.is_empty()));
                self.add(unit, length, joint);
            }
        }
    }

    /// `joint` stands before it, `finer` is how it is cut.
    fn take_finer(&mut self, unit: &str, joint: Joint, finer: Joint, aim: usize, parts: &mut Vec<String>) {
        let length = unit.trim().chars().count();
        if joint != finer && length > 0 && finer != Joint::Letter && self.fits(length, joint, aim) {
            return self.add(unit.trim(), length, joint);
        }
        self.take(unit, finer, aim, parts);
    }

    fn fits(&self, more: usize, joint: Joint, aim: usize) -> bool {
        let mark = if self.text.is_empty() { 0 } else { joint.mark().len() };
        within(self.length + mark + more, if self.has(SHORTEST) { aim } else { LONGEST })
    }

    fn has(&self, least: usize) -> bool {
        !within(self.length, least)
    }

    fn add(&mut self, unit: &str, length: usize, joint: Joint) {
        if !self.text.is_empty() {
            self.text.push_str(joint.mark());
            self.length += joint.mark().len();
        }
        self.text.push_str(unit);
        self.length += length;
    }
}

/// Whether so many characters are at most so many tokens.
fn within(characters: usize, most: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "lengths of texts")]
    let within = characters as f32 <= most as f32 * TOKEN;
    within
}

fn units(text: &str, joint: Joint) -> Vec<&str> {
    match joint {
        Joint::Paragraph => text.split("\n\n").collect(),
        Joint::Line => text.split('\n').collect(),
        Joint::Sentence => sentences(text),
        Joint::Word => text.split_whitespace().collect(),
        Joint::Letter => text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect(),
    }
}

/// After a full stop, question or exclamation mark with a space behind it, or one of scripts without spaces.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        let spaced = letters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if matches!(c, '。' | '！' | '？' | '।' | '؟') || matches!(c, '.' | '?' | '!' | '…') && spaced {
            let end = at + c.len_utf8();
            sentences.push(&text[begin..end]);
            begin = end;
        }
    }
    sentences.push(&text[begin..]);
    sentences
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heading(level: u8, text: &str) -> Block {
        Block::Heading { level, text: text.into() }
    }

    fn text(text: &str) -> Block {
        Block::Text(text.into())
    }

    fn piece(heading: &str, body: &str) -> Piece {
        Piece { heading: heading.into(), body: body.into() }
    }

    #[test]
    fn each_section_is_its_own_with_the_headings_above_it() {
        let blocks = [
            text("Before all."),
            heading(1, "Returns"),
            text("Within 30 days."),
            heading(2, "Exchanges"),
            text("Another size."),
            text("Free of charge."),
            heading(2, "Refunds"),
            heading(1, "Contact"),
            text("Write to us."),
        ];
        assert_eq!(
            chunks(&blocks),
            [
                piece("", "Before all."),
                piece("Returns", "Within 30 days."),
                piece("Returns > Exchanges", "Another size.\n\nFree of charge."),
                piece("Returns > Refunds", "Refunds"),
                piece("Contact", "Write to us."),
            ]
        );
        assert_eq!(chunks(&[]), []);
        assert_eq!(chunks(&[heading(1, "A"), heading(2, "B"), text("c")]), [piece("A > B", "c")]);
    }

    #[test]
    fn a_long_section_is_cut_between_paragraphs_into_like_parts() {
        let paragraph = "A sentence of some length stands here. ".repeat(14);
        let blocks: Vec<Block> = (0..8).map(|_| text(&paragraph)).collect();
        let pieces = chunks(&blocks);
        assert!(pieces.len() >= 3, "{}", pieces.len());
        for piece in &pieces {
            assert!((SHORTEST..=LONGEST).contains(&tokens(&piece.body)), "{}", tokens(&piece.body));
            assert!(piece.body.ends_with("here."), "{:?}", piece.body);
        }
    }

    fn letters<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
        texts.into_iter().flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
    }

    fn blocks() -> impl Strategy<Value = Vec<Block>> {
        let words = prop_oneof![
            "[a-zé]{1,9}[.?!,]? ".prop_map(|word| word.repeat(40)),
            "[a-z]{1,9}".prop_map(|word| word.repeat(400)),
            "(今日は|良い。){0,400}",
            "([a-z]{1,12}[.\n ]){0,300}",
            "\\PC{0,40}",
        ];
        let block = prop_oneof![
            1 => (1..5_u8, "[A-Za-z]{0,20}").prop_map(|(level, text)| Block::Heading { level, text }),
            3 => words.prop_map(Block::Text),
        ];
        prop::collection::vec(block, 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn no_text_is_lost_and_no_chunk_is_too_long(blocks in blocks()) {
            let pieces = chunks(&blocks);
            let texts = blocks.iter().filter_map(|block| match block {
                Block::Text(text) => Some(text.as_str()),
                Block::Heading { .. } => None,
            });
            let headings_alone = |piece: &&Piece| !piece.heading.ends_with(&piece.body) || piece.body.is_empty();
            let bodies = pieces.iter().filter(headings_alone).map(|piece| piece.body.as_str());
            let (before, after) = (letters(texts), letters(bodies));
            // A body that repeats its heading word for word is left out of the count on both sides.
            prop_assert!(before == after || before.len() > after.len() && before.len() - after.len() <= 240, "{before:?} {after:?}");
            for piece in &pieces {
                prop_assert!(tokens(&piece.body) <= LONGEST, "{}", tokens(&piece.body));
                prop_assert!(!piece.body.trim().is_empty());
            }
            for block in &blocks {
                if let Block::Heading { text, .. } = block {
                    let text = one_line(text);
                    prop_assert!(text.is_empty() || pieces.iter().any(|piece| piece.heading.contains(&text)), "{text:?}");
                }
            }
        }

        #[test]
        fn pieces_of_one_long_section_are_not_short(paragraphs in prop::collection::vec("([a-z]{2,9} ){4,40}[a-z]+[.]", 30..60)) {
            let blocks: Vec<Block> = paragraphs.into_iter().map(Block::Text).collect();
            let pieces = chunks(&blocks);
            for piece in &pieces[..pieces.len() - 1] {
                prop_assert!(tokens(&piece.body) >= SHORTEST, "{}", tokens(&piece.body));
            }
        }
    }
}
