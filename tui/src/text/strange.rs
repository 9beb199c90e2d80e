//! Random text made of what has broken terminals before.

use std::ops::Range;

use proptest::prelude::*;

const PIECES: [&str; 48] = [
    "a",
    "b ",
    "word",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "e\u{301}",
    "\u{301}",
    "\u{316}\u{301}\u{327}",
    "日",
    "本語",
    "、",
    "。",
    "😀",
    "❤",
    "\u{fe0f}",
    "\u{fe0e}",
    "\u{200d}",
    "\u{200c}",
    "👨",
    "👍\u{1f3fd}",
    "\u{1f3fd}",
    "\u{1f1e7}",
    "🇧🇷",
    "1\u{fe0f}\u{20e3}",
    "\u{20e3}",
    "क्षि",
    "क",
    "\u{94d}",
    "م",
    "لا",
    "\u{1100}",
    "\u{1161}",
    "\u{11a8}",
    "\u{3164}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{ad}",
    "\x1b[2J",
    "\u{9b}",
    "\x07",
    "\u{e0067}",
    "\u{1f3f4}",
    "\u{e000}",
    "\u{600}",
    "ｶﾞ",
];

/// Text of some pieces, nearly all of them nasty, and sometimes any character at all.
pub(crate) fn text(pieces: Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES.as_slice()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, pieces).prop_map(|pieces| pieces.concat())
}
