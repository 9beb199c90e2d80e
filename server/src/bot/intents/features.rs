//! A sentence as numbers: which words, pairs of words and pieces of words it holds.
//!
//! Pieces of words (three to five letters) are what survives a typo; hashing makes the table of
//! features as small as we like. Figures: 2^14 bins a kind lose nothing against 2^17.

use crate::bot::fold::fold;

/// Bins for words and pairs; as many again for pieces.
const BINS: u32 = 1 << 14;

/// All bins.
pub(super) const SPACE: usize = 2 * BINS as usize;

/// How often each feature occurs, ordered by feature.
pub(super) type Counts = Vec<(u32, f32)>;

/// The features of `text` with their number.
pub(super) fn counts(text: &str) -> Counts {
    let folded = fold(text);
    let mut features = Vec::with_capacity(6 * folded.len());
    let mut before = None;
    for word in folded.split(' ').filter(|word| !word.is_empty()) {
        features.push(bin(hash(WORD, word.as_bytes())));
        if let Some(before) = before {
            features.push(bin(hash(hash(PAIR, before), word.as_bytes())));
        }
        before = Some(word.as_bytes());
        pieces(word, |piece| features.push(BINS + bin(hash(PIECE, piece))));
    }
    features.sort_unstable();
    let mut counts: Counts = Vec::with_capacity(features.len());
    for feature in features {
        match counts.last_mut() {
            Some((last, count)) if *last == feature => *count += 1.0,
            _ => counts.push((feature, 1.0)),
        }
    }
    counts
}

/// How much a feature says: what occurs in few sentences says more.
#[derive(Clone, Debug)]
pub(super) struct Weights(Vec<f32>);

impl Weights {
    pub(super) fn of<'a>(sentences: impl Iterator<Item = &'a Counts>) -> Self {
        let mut occurs = vec![0.0_f32; SPACE];
        let mut all = 0.0_f32;
        for sentence in sentences {
            all += 1.0;
            for (feature, _) in sentence {
                occurs[*feature as usize] += 1.0;
            }
        }
        Self(occurs.into_iter().map(|n| ((1.0 + all) / (1.0 + n)).ln() + 1.0).collect())
    }

    /// Words and pieces are scaled to length one apart from each other, so that a long word does
    /// not outweigh the rest with its pieces.
    pub(super) fn weigh(&self, mut counts: Counts) -> Counts {
        for (feature, count) in &mut counts {
            *count = (1.0 + count.ln()) * self.0[*feature as usize];
        }
        let middle = counts.partition_point(|(feature, _)| *feature < BINS);
        let (words, pieces) = counts.split_at_mut(middle);
        normalise(words);
        normalise(pieces);
        counts
    }
}

fn normalise(block: &mut [(u32, f32)]) {
    let length = block.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        block.iter_mut().for_each(|(_, value)| *value /= length);
    }
}

/// The runs of three to five letters of a word with a space at either end.
fn pieces(word: &str, mut with: impl FnMut(&[u8])) {
    let padded = [b" ", word.as_bytes(), b" "].concat();
    let starts: Vec<usize> = (0..=padded.len()).filter(|at| is_boundary(&padded, *at)).collect();
    for length in 3..=5 {
        for run in starts.windows(length + 1) {
            with(&padded[run[0]..run[length]]);
        }
    }
}

/// Whether a character of UTF-8 begins here, or the text ends.
fn is_boundary(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| byte & 0xC0 != 0x80)
}

const WORD: u64 = 0xcbf2_9ce4_8422_2325;
const PAIR: u64 = 0x9e37_79b9_7f4a_7c15;
const PIECE: u64 = 0x51ed_270b_a5a5_1d2f;

/// FNV-1a, begun at `seed`.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mixed = bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    mixed ^ (mixed >> 29)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
fn bin(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32 % BINS
}
