//! `knowledge`: documents taken in, listed, found, refreshed and forgotten.

use std::fs;

use crate::place::{Place, SETTINGS};

/// A page of 1.4 with two lines on it.
const PDF: &[u8] = include_bytes!("../../../simulator/src/customers/files/request.pdf");

fn place() -> Place {
    let place = Place::new(SETTINGS);
    fs::create_dir_all(place.file("docs/policies")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(place.file(name), bytes).unwrap();
    write("docs/policies/returns.md", b"# Returns\nWithin 30 days.\n\n## Exchanges\nAnother size is sent for free.");
    write("docs/policies/.draft.md", b"not to be read");
    write("docs/prices.csv", b"question,answer\nWhat is a gift card worth?,25 or 50.\n");
    write("docs/request.pdf", PDF);
    write(
        "docs/broken.pdf",
        &[b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\n".as_slice(), &[0xff; 4_000]].concat(),
    );
    write("docs/horario.txt", "A loja está aberta de segunda a sábado, e você pode trocar até às sete.".as_bytes());
    write("docs/photo.png", b"\x89PNG");
    place
}

#[test]
fn documents_are_taken_in_before_the_first_start_and_a_broken_one_is_named() {
    let place = place();
    assert!(place.run(&["knowledge", "list"]).explains("no database at baton.db yet"));
    let added = place.run(&["knowledge", "add", "docs"]);
    assert_eq!(added.prints(1), "4 read with 5 passages, 0 as they were, 1 could not be read\n");
    for words in [
        "skipped photo.png: of no kind that is read",
        "[1/5] broken.pdf: cannot be read: it is no PDF",
        "[2/5] horario.txt: 1 passage\n",
        "[3/5] policies/returns.md: 2 passages",
        "[5/5] request.pdf: 1 passage",
        "one document could not be read",
    ] {
        assert!(added.explains(words), "{words}: {added:?}");
    }
    let list = place.run(&["knowledge", "list"]).succeeds();
    let line = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("broken.pdf").contains("cannot be read: it is no PDF"), "{list}");
    assert!(line("horario.txt").split_whitespace().nth(2) == Some("pt"), "{list}");
    assert!(line("policies/returns.md").contains("ready"), "{list}");
    assert!(!list.contains("draft"), "{list}");

    let found = place.run(&["knowledge", "search", "can I exchange it for another size?"]).succeeds();
    assert!(found.contains("policies/returns.md > Returns > Exchanges  (score "), "{found}");
    let found = place.run(&["knowledge", "search", "Priya Nair, orders 10311"]).succeeds();
    assert!(found.contains("request.pdf > page 1"), "{found}");
    let nothing = place.run(&["knowledge", "search", "who won the football match"]);
    nothing.succeeds();
    assert!(nothing.explains("Nothing is above the floor of 0.30"), "{nothing:?}");
}

#[test]
fn what_has_changed_is_read_again_and_what_is_forgotten_is_asked_about() {
    let place = place();
    place.run(&["knowledge", "add", "docs/policies", "--language", "en", "--channel", "shop"]).succeeds();
    let refreshed = place.run(&["knowledge", "refresh"]).succeeds();
    assert_eq!(refreshed, "0 read with 0 passages, 1 as they were, 0 could not be read\n");
    fs::write(place.file("docs/policies/returns.md"), "# Returns\nWithin 14 days.").unwrap();
    let refreshed = place.run(&["knowledge", "refresh", "returns.md"]).succeeds();
    assert_eq!(refreshed, "1 read with 1 passages, 0 as they were, 0 could not be read\n");
    fs::remove_file(place.file("docs/policies/returns.md")).unwrap();
    assert!(place.run(&["knowledge", "refresh"]).explains("cannot be opened"));
    assert!(place.run(&["knowledge", "list"]).succeeds().contains("older one in use: it cannot be opened"));
    assert!(place.run(&["knowledge", "remove", "returns.md"]).fails(2).contains("expected --yes"));
    assert!(place.run(&["knowledge", "remove", "returns.md", "--yes"]).succeeds().contains("is forgotten"));
    assert!(place.run(&["knowledge", "remove", "returns.md", "--yes"]).fails(1).contains("no document is called"));
    assert!(place.run(&["knowledge", "list"]).explains("Nothing yet"));
}

#[test]
fn a_wrong_source_is_told() {
    let place = place();
    for (arguments, words) in [
        (&["add", "nowhere.md"][..], "nowhere.md: No such file"),
        (&["add", "https://me:secret@example.com/"], "is no http or https address"),
        (&["add", "docs", "--channel", "nobody"], "expected one of: shop"),
        (&["add", "docs", "--language", "English"], "expected two small letters"),
        (&["add", "docs/photo.png"], "found another ending, expected markdown, text"),
    ] {
        let said = place.run(&[&["knowledge"], arguments].concat()).fails(2);
        assert!(said.contains(words) && !said.contains("secret"), "{arguments:?}: {said}");
    }
    let private = place.run(&["knowledge", "add", "http://127.0.0.1:1/x.html"]);
    private.prints(1);
    assert!(private.explains("lies in a private network"), "{private:?}");
}
