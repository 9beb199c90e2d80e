use proptest::prelude::*;

use super::*;
use crate::text::strange;

fn editor(text: &str) -> Editor {
    let mut editor = Editor::default();
    editor.set(text, text.len());
    editor
}

fn typed(keys: &[&str]) -> Editor {
    let mut editor = Editor::default();
    keys.iter().for_each(|key| editor.insert(key));
    editor
}

#[test]
fn backspace_takes_whole_clusters() {
    let mut editor = editor("e\u{301}👨‍👩‍👧");
    editor.backspace();
    assert_eq!(editor.text(), "é");
    editor.backspace();
    assert_eq!(editor.text(), "");
    editor.backspace();
}

#[test]
fn what_input_methods_send_in_pieces_comes_together() {
    assert_eq!(typed(&["e", "\u{301}"]).text(), "é");
    assert_eq!(typed(&["👨", "\u{200d}", "👩"]).text(), "👨‍👩");
    assert_eq!(typed(&["می", "\u{200c}", "خ"]).text(), "می\u{200c}خ");
    assert_eq!(typed(&["a", "\u{200d}", "b"]).text(), "ab");
    assert_eq!(typed(&["👨", "\u{200d}", "b"]).text(), "👨b");
    assert_eq!(typed(&["\u{1f1e7}", "\u{1f1f7}"]).cursor(), 8);
}

#[test]
fn pastes_are_filtered_and_counted() {
    let mut editor = Editor::default();
    assert_eq!(editor.paste("one\r\ntwo\x1b[2J\nthree\u{202e}"), 3);
    assert_eq!(editor.text(), "one\ntwo\u{fffd}[2J\nthree");
    assert_eq!(editor.paste("\u{200b}"), 0);
    assert!(editor.undo());
    assert_eq!(editor.text(), "");
}

#[test]
fn characters_are_counted_and_nothing_is_cut() {
    let editor = editor(&"é".repeat(LIMIT + 4));
    assert_eq!((editor.count(), editor.over()), (LIMIT + 4, 4));
}

#[test]
fn an_endless_paste_is_not_taken_whole() {
    let mut editor = editor("end");
    editor.start(false);
    editor.paste(&"日".repeat(1_000_000));
    assert!(editor.text().len() <= BYTES_MAX && editor.text().ends_with("end"));
}

#[test]
fn undo_goes_back_by_words() {
    let mut editor = typed(&["o", "n", "e", " ", "t", "w", "o"]);
    assert!(editor.undo());
    assert_eq!(editor.text(), "one ");
    assert!(editor.undo());
    assert_eq!(editor.text(), "");
    assert!(!editor.undo());
    assert!(editor.redo() && editor.redo() && !editor.redo());
    assert_eq!((editor.text(), editor.cursor()), ("one two", 7));
}

#[test]
fn a_new_change_ends_what_can_be_redone() {
    let mut editor = typed(&["a"]);
    editor.undo();
    editor.insert("b");
    assert!(!editor.redo());
    assert_eq!(editor.text(), "b");
}

#[test]
fn words_and_lines_are_where_one_expects_them() {
    let mut editor = editor("one, two\nthree four");
    editor.word_left(false);
    assert_eq!(editor.cursor(), 15);
    editor.line_start(false);
    assert_eq!(editor.cursor(), 9);
    editor.start(false);
    editor.word_right(false);
    assert_eq!(editor.cursor(), 3);
    editor.word_right(false);
    assert_eq!(editor.cursor(), 4);
    editor.line_end(false);
    assert_eq!(editor.cursor(), 8);
}

#[test]
fn killed_text_comes_back() {
    let mut editor = editor("one two\nthree");
    editor.start(false);
    editor.kill_to_line_end();
    assert_eq!(editor.text(), "\nthree");
    editor.kill_to_line_end();
    assert_eq!(editor.text(), "three");
    editor.end(false);
    editor.kill_word_left();
    editor.yank();
    editor.yank();
    assert_eq!(editor.text(), "threethree");
    editor.kill_to_line_start();
    assert_eq!(editor.text(), "");
}

#[test]
fn typing_replaces_what_is_selected() {
    let mut editor = editor("one two");
    editor.word_left(true);
    assert_eq!(editor.selected().unwrap().as_str(), "two");
    editor.insert("x");
    assert_eq!((editor.text(), editor.selection()), ("one x", None));
    editor.undo();
    assert_eq!(editor.text(), "one two");
    editor.select_all();
    assert_eq!(editor.cut().unwrap().as_str(), "one two");
}

#[test]
fn moves_over_short_rows_keep_their_column() {
    let mut editor = editor("long line\nx\nlong line");
    editor.left(false);
    assert!(editor.up(80, false) && editor.up(80, false));
    assert_eq!(editor.cursor(), 8);
    assert!(!editor.up(80, false));
}

#[test]
fn the_caret_has_its_place_beside_a_full_row() {
    let editor = editor("abcdef");
    assert_eq!(editor.view(4).caret, (1, 3));
    assert_eq!(editor.view(7), View { rows: vec![Row { start: 0, end: 6, width: 6 }], caret: (0, 6) });
    assert_eq!(editor.row_text(&editor.view(4).rows[1]).as_str(), "def");
}

#[test]
fn taking_the_text_leaves_nothing_to_undo() {
    let mut editor = typed(&["a"]);
    assert_eq!(editor.take(), "a");
    assert!(editor.is_empty() && !editor.undo());
}

#[derive(Clone, Debug)]
enum Act {
    Insert(String),
    Paste(String),
    Newline,
    Backspace,
    Delete,
    Kill(u8),
    Yank,
    Move(u8, bool),
    Undo,
    Redo,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => strange::text(1..2).prop_map(Act::Insert),
        1 => strange::text(0..10).prop_map(Act::Paste),
        1 => Just(Act::Newline),
        2 => Just(Act::Backspace),
        1 => Just(Act::Delete),
        1 => (0_u8..3).prop_map(Act::Kill),
        1 => Just(Act::Yank),
        4 => (0_u8..10, any::<bool>()).prop_map(|(way, extend)| Act::Move(way, extend)),
        1 => Just(Act::Undo),
        1 => Just(Act::Redo),
    ]
}

fn perform(editor: &mut Editor, act: Act, width: usize) {
    match act {
        Act::Insert(text) => editor.insert(&text),
        Act::Paste(text) => {
            editor.paste(&text);
        }
        Act::Newline => editor.newline(),
        Act::Backspace => editor.backspace(),
        Act::Delete => editor.delete(),
        Act::Kill(0) => editor.kill_to_line_end(),
        Act::Kill(1) => editor.kill_to_line_start(),
        Act::Kill(_) => editor.kill_word_left(),
        Act::Yank => editor.yank(),
        Act::Move(way, extend) => match way {
            0 => editor.left(extend),
            1 => editor.right(extend),
            2 => editor.word_left(extend),
            3 => editor.word_right(extend),
            4 => editor.line_start(extend),
            5 => editor.line_end(extend),
            6 => editor.start(extend),
            7 => editor.end(extend),
            8 => {
                editor.up(width, extend);
            }
            _ => {
                editor.down(width, extend);
            }
        },
        Act::Undo => {
            editor.undo();
        }
        Act::Redo => {
            editor.redo();
        }
    }
}

fn folded(text: &str) -> String {
    let mut folded = text.to_owned();
    while folded.contains("\u{fffd}\u{fffd}") {
        folded = folded.replace("\u{fffd}\u{fffd}", "\u{fffd}");
    }
    folded
}

proptest! {
    #[test]
    fn the_cursor_stands_between_clusters_and_undo_is_exact(start in strange::text(0..10), acts in prop::collection::vec(act(), 0..25), width in 1_usize..40) {
        let mut editor = Editor::default();
        editor.set(&start, 0);
        let first = editor.text().to_owned();
        for act in acts {
            perform(&mut editor, act, width);
            let text = editor.text();
            let bounds: Vec<usize> = width::clusters(text).map(|cluster| cluster.start).chain([text.len()]).collect();
            prop_assert!(bounds.contains(&editor.cursor()));
            let selection = editor.selection().unwrap_or_default();
            prop_assert!(selection.is_empty() || (bounds.contains(&selection.start) && bounds.contains(&selection.end)));
            // A deletion can bring two replaced characters together, which the filter would fold.
            prop_assert_eq!(folded(&filtered(text)), folded(text));
            let view = editor.view(width);
            prop_assert!(view.caret.0 < view.rows.len() && view.caret.1 < width.max(1));
        }
        while editor.redo() {}
        let last = editor.text().to_owned();
        while editor.undo() {}
        prop_assert_eq!(editor.text(), first);
        while editor.redo() {}
        prop_assert_eq!(editor.text(), last);
    }
}
