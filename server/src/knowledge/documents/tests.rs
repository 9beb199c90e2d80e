use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn heading(level: u8, text: &str) -> Block {
    Block::Heading { level, text: text.into() }
}

fn text(text: &str) -> Block {
    Block::Text(text.into())
}

fn read(kind: Kind, document: impl AsRef<[u8]>) -> Vec<Block> {
    parse(kind, document.as_ref(), None).unwrap()
}

/// A Word document with this inside its body.
fn docx(body: &str) -> Vec<u8> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/\
         wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    zipped(xml.as_bytes())
}

fn zipped(xml: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    archive.write_all(xml).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn markdown_has_its_headings_and_keeps_its_text() {
    let document = "---\ntitle: Returns\n---\nBefore.\n\n# Exchanges #\nAnother size,\nfree.\n\n- one\n- two\n\
                    ---\n```\n# no heading\n```\nShoes\n-----\nLast.\n#hash";
    assert_eq!(
        read(Kind::Markdown, document),
        [
            heading(1, "Returns"),
            text("Before."),
            heading(1, "Exchanges"),
            text("Another size,\nfree."),
            text("- one\n- two\n---\n```\n# no heading\n```"),
            heading(2, "Shoes"),
            text("Last.\n#hash"),
        ]
    );
    assert_eq!(read(Kind::Markdown, "---\nno end"), [text("---\nno end")]);
}

#[test]
fn letters_are_read_whatever_they_were_written_in() {
    for bytes in [
        "Größe café".as_bytes().to_vec(),
        b"Gr\xf6\xdfe caf\xe9".to_vec(),
        [b"\xef\xbb\xbf".to_vec(), "Größe café".into()].concat(),
        [0xff, 0xfe].into_iter().chain("Größe café".encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        "Gro\u{308}ße ca\u{ad}fe\u{301}".as_bytes().to_vec(),
    ] {
        assert_eq!(read(Kind::Text, bytes), [text("Größe café")]);
    }
    assert_eq!(read(Kind::Text, "ﬁne\u{202e}\u{7}\n\n\n\nx"), [text("fine"), text("x")]);
    assert_eq!(parse(Kind::Text, b"\xd1\xe0\xec", Some("windows-1251")).unwrap(), [text("Сам")]);
    assert!(matches!(parse(Kind::Text, b"\x7fELF\0\0\0", None), Err(Unreadable::Broken(Kind::Text, _))));
    for empty in ["", " \n\t", "...\n---"] {
        assert_eq!(parse(Kind::Text, empty.as_bytes(), None), Err(Unreadable::Empty));
    }
}

#[test]
fn a_page_is_what_its_readers_see() {
    let page = "<!doctype html><html><head><title>Help &amp; more</title><style>p{color:red}</style>\
                <script>if (a < b) { alert('<p>hidden</p>') }</script></head><body><nav><a>Home</a></nav>\
                <h1>Re<b>turns</b></h1><p>Within\n  30&nbsp;days,<br>unworn.</p><ul><li>Shoes<li>Shirts</ul>\
                <table><tr><th>Size</th><th>cm</th></tr><tr><td>38</td><td>24</td></tr></table>\
                <script src=x></script><noscript>Turn it on</noscript><h2>Costs</h2>None.<pre>a\n  b</pre>";
    assert_eq!(
        read(Kind::Html, page),
        [
            heading(0, "Help & more"),
            heading(1, "Returns"),
            text("Within 30 days,\nunworn."),
            text("- Shoes\n- Shirts"),
            text("Size | cm\n38 | 24"),
            heading(2, "Costs"),
            text("None."),
            text("a\n  b"),
        ]
    );
    assert_eq!(read(Kind::Html, b"<meta charset=iso-8859-1><p>caf\xe9"), [text("café")]);
    for broken in ["<p>text<script>", "<p>text</nav></nav>", "<<<p>text", "<p>text<nav>menu", "<p>text<!-- "] {
        let read = read(Kind::Html, broken);
        assert!(matches!(read.last(), Some(Block::Text(said)) if said.contains("text")), "{broken}: {read:?}");
    }
}

#[test]
fn a_table_is_read_as_questions_with_answers() {
    let pair = |question, answer| vec![heading(1, question), text(answer)];
    let wanted = [pair("Do you ship?", "Yes,\nworldwide."), pair("Gift cards?", "25, 50")].concat();
    for table in [
        "question,answer\nDo you ship?,\"Yes,\nworldwide.\"\nGift cards?,\"25, 50\"\n,no question\n",
        "Do you ship?;\"Yes,\nworldwide.\"\nGift cards?;25, 50;more\n",
        "id\tAnswer\tQuestion\n1\t\"Yes,\nworldwide.\"\tDo you ship?\n2\t25, 50\tGift cards?",
    ] {
        assert_eq!(read(Kind::Csv, table), wanted, "{table}");
    }
    assert!(matches!(parse(Kind::Csv, b"one\ntwo\n", None), Err(Unreadable::Broken(Kind::Csv, _))));
}

#[test]
fn a_word_document_has_headings_paragraphs_and_rows() {
    let style = |name: &str, text: &str| {
        format!("<w:p><w:pPr><w:pStyle w:val=\"{name}\"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    };
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", style("x", text));
    let row = format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell("38"), cell("24 cm"));
    let plain = "<w:p><w:r><w:t>Free &amp; fast</w:t></w:r><w:r><w:br/><w:t xml:space=\"preserve\"> by mail&#33;</w:t></w:r></w:p>";
    let document = docx(&[style("Heading1", "Returns"), plain.into(), row, style("berschrift2", "Costs")].concat());
    assert_eq!(
        read(Kind::Docx, document),
        [heading(1, "Returns"), text("Free & fast\n by mail!"), text("38 | 24 cm"), heading(2, "Costs")]
    );
}

#[test]
fn what_is_made_to_do_harm_is_refused() {
    let bomb = zipped(&vec![b' '; 49 * 1024 * 1024]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let refused = parse(Kind::Docx, &bomb, None).unwrap_err();
    assert!(refused.to_string().contains("unpacks to more than"), "{refused}");

    let long = docx(&format!("<w:p><w:t>{}</w:t></w:p>", "a".repeat(1024 * 1024)).repeat(5));
    assert_eq!(parse(Kind::Docx, &long, None), Err(Unreadable::TooMuchText));
    let entities = "<!DOCTYPE a [<!ENTITY a \"&b;&b;\"><!ENTITY b \"boom\">]><w:p><w:t>x &a; y</w:t></w:p>";
    assert_eq!(read(Kind::Docx, docx(entities)), [text("x  y")]);
    for broken in [&b"PK\x03\x04"[..], b"no zip", &docx("<w:p>")[..40], &zipped(b"<a><b></a>")] {
        assert!(matches!(parse(Kind::Docx, broken, None), Err(Unreadable::Broken(Kind::Docx, _) | Unreadable::Empty)));
    }

    let huge = vec![b'a'; 50 * 1024 * 1024];
    assert_eq!(parse(Kind::Text, &huge, None), Err(Unreadable::TooLarge(huge.len())));
    for kind in [Kind::Text, Kind::Markdown] {
        assert_eq!(parse(kind, &huge[..MOST_TEXT + 1], None), Err(Unreadable::TooMuchText), "{kind:?}");
    }
    // A letter that becomes eighteen when it is composed.
    let growing = "\u{fdfa}".repeat(MOST_TEXT / 30);
    assert_eq!(parse(Kind::Text, growing.as_bytes(), None), Err(Unreadable::TooMuchText));
    for deep in ["<div>", "<b><i>", "<nav>"] {
        let page = format!("<p>x</p>{}", deep.repeat(20_000));
        assert_eq!(read(Kind::Html, page), [text("x")], "{deep}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_letter_of_plain_text_is_lost(document in "([a-zéß0-9]{1,8}|[ \n]|\n\n){0,80}") {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let blocks = parse(Kind::Text, document.as_bytes(), None).unwrap_or_default();
        let read: String = blocks.iter().map(|block| match block {
            Block::Heading { text, .. } | Block::Text(text) => letters(text),
        }).collect();
        prop_assert_eq!(read, letters(&document));
    }

    #[test]
    fn no_bytes_break_a_parser(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in prop::sample::select(Kind::ALL.to_vec())) {
        let _ = parse(kind, &bytes, None);
    }

    #[test]
    fn no_markup_breaks_a_parser(
        text in "(<[/!]?(p|h1|nav|script|title|pre|tr|td|w:t|w:p|w:tc)[ >]?|--|[#=\\-\"',;\n`&]{1,4}|[a-z]{1,4}| ){0,60}",
        kind in prop::sample::select(vec![Kind::Markdown, Kind::Html, Kind::Csv, Kind::Docx]),
    ) {
        let bytes = if kind == Kind::Docx { docx(&text) } else { text.into_bytes() };
        let _ = parse(kind, &bytes, None);
    }
}
