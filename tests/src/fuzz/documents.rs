//! Documents that nobody wrote: good ones of every kind, broken by chance in several places. A parser says what
//! is wrong or gives blocks; neither panics nor long waits, and chunks keep their bounds.

use std::io::{Cursor, Write};

use baton_server::knowledge::{
    chunk::{LONGEST, chunks, tokens},
    documents::{Kind, parse},
};
use fastrand::Rng;

const MARKDOWN: &str = "---\ntitle: Returns\n---\n# Returns\n\nWithin 30 days.\n\n## Exchanges\n- another *size*\n\
                        ```\n# code\n```\nCosts\n-----\nNone. [Mail us](https://example.com).\n";
const HTML: &str = "<!doctype html><title>Help</title><style>p{}</style><script>a<b</script><nav>menu</nav><h1>Returns\
                    </h1><p>Within&nbsp;30 days,<br>unworn.<ul><li>Shoes<li>Shirts</ul><table><tr><td>38<td>24</table>\
                    <pre>a\n b</pre><!-- no -->";
const CSV: &str = "question,answer\n\"Do you ship?\",\"Yes,\nworldwide.\"\nGift cards?,\"25, 50\"\n";
const TEXT: &str = "Opening hours\n\nMonday to Saturday from nine to seven. Größe café 営業時間。\n";
const DOCX: &str = "<w:document xmlns:w=\"w\"><w:body><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Returns\
                    </w:t></w:r></w:p><w:p><w:r><w:t>30 days &amp; more</w:t><w:br/></w:r></w:p><w:tbl><w:tr><w:tc><w:p>\
                    <w:r><w:t>38</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>";

/// Marks that mean something to one of the parsers.
const MARKS: [&[u8]; 20] = [
    b"<",
    b">",
    b"</",
    b"<script>",
    b"<nav>",
    b"&#x110000;",
    b"&amp",
    b"\"",
    b"'",
    b"\n#",
    b"\n---\n",
    b"```",
    b"\0",
    b"\xff\xfe",
    b"\xc3",
    b"\xf0\x9f",
    b"PK\x01\x02",
    b"]]>",
    b"<!ENTITY a \"",
    b",,,",
];

/// A document of this kind that can be read.
fn good(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Markdown => MARKDOWN.into(),
        Kind::Html => HTML.into(),
        Kind::Csv => CSV.into(),
        Kind::Text | Kind::Pdf => TEXT.into(),
        Kind::Docx => zipped(DOCX.as_bytes()),
    }
}

fn zipped(xml: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).expect("a zip");
    archive.write_all(xml).expect("a zip");
    archive.finish().expect("a zip").into_inner()
}

/// The same with one to twelve changes.
pub fn broken(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.usize(1..=12) {
        let at = rng.usize(..=bytes.len());
        let end = (at + rng.usize(..=40)).min(bytes.len());
        match rng.u8(..7) {
            0 if at < bytes.len() => bytes[at] = rng.u8(..),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].repeat(rng.usize(1..200));
                bytes.splice(at..at, piece);
            }
            3 => drop(bytes.splice(at..at, MARKS[rng.usize(..MARKS.len())].iter().copied())),
            4 => drop(bytes.splice(at..end, MARKS[rng.usize(..MARKS.len())].repeat(rng.usize(1..60)))),
            5 if rng.u8(..8) == 0 => bytes.truncate(at),
            _ => bytes[at..end].reverse(),
        }
    }
    bytes
}

/// Breaks `count` documents of each kind but PDF, whose parser is let into no process of ours; how many could still
/// be read.
///
/// # Panics
/// If a parser does, or a chunk is out of bounds.
pub fn sample(seed: u64, count: usize) -> usize {
    let mut rng = Rng::with_seed(seed);
    let mut read = 0;
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Pdf) {
        assert!(parse(kind, &good(kind), None).is_ok(), "{kind:?}");
        for _ in 0..count {
            // Half of the Word documents are broken inside of their zip.
            let bytes = match kind {
                Kind::Docx if rng.bool() => zipped(&broken(&mut rng, DOCX.into())),
                kind => broken(&mut rng, good(kind)),
            };
            let Ok(blocks) = parse(kind, &bytes, None) else { continue };
            read += 1;
            for piece in chunks(&blocks) {
                assert!(tokens(&piece.body) <= LONGEST && !piece.body.trim().is_empty(), "{kind:?}: {piece:?}");
            }
        }
    }
    read
}
