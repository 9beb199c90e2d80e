//! Screens, compared with what they looked like when somebody last looked at them.

use std::time::Duration;

use baton_shared::{
    Control, Role,
    content::{Content, Detail, Media, MediaState},
    costs::{CostLine, Costs, MessagePrices},
    message::{Author, Body, Delivery, Message, Quote},
    protocol::{Board, BoardNumber, Merged, Person, Preview, Row, ServerFrame, Warning},
};
use proptest::prelude::*;
use ratatui::{buffer::Buffer, layout::Rect};

use super::paint;
use crate::{
    event::{Cause, FileNews},
    fixture::{ANA, DUBAI, Inbox, KENJI, LEO, LUCIA, MARINA, NOW, agent, ago, conversation, marina, person, row, said},
    net::NetEvent,
    picture::Picture,
    state::Mode,
    text::strange,
    theme::{Ground, Theme, Tier},
};

/// The screen as text, and below it where the cursor is.
fn screen(inbox: &Inbox, theme: &Theme) -> String {
    let (width, height) = inbox.state.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let caret = paint(&inbox.state, theme, &mut buffer);
    let mut text = String::new();
    for y in 0..height {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(crate::text::width::of(symbol)).unwrap_or(1).max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if let Some(caret) = caret {
        text.push_str(&format!("caret {} {}\n", caret.x, caret.y));
    }
    text
}

fn dark() -> Theme {
    Theme::new(Tier::True, Ground::Dark, false)
}

fn plain() -> Theme {
    Theme::new(Tier::Mono, Ground::Dark, true)
}

/// What an agent sees at four sizes.
macro_rules! at_every_size {
    ($name:literal, $theme:expr, $inbox:expr) => {
        for (width, height) in [(120, 36), (80, 24), (60, 16), (200, 60)] {
            let inbox: Inbox = $inbox((width, height));
            insta::assert_snapshot!(format!("{}_{width}x{height}", $name), screen(&inbox, &$theme));
        }
    };
}

#[test]
fn an_open_conversation() {
    at_every_size!("chat", dark(), Inbox::with_marina);
}

#[test]
fn the_queue_alone() {
    at_every_size!("queue", dark(), |size| {
        let mut inbox = Inbox::seeded(size);
        inbox.press("G l");
        inbox
    });
}

#[test]
fn ascii_without_colour() {
    at_every_size!("ascii", plain(), Inbox::with_marina);
}

#[test]
fn writing() {
    at_every_size!("writing", dark(), |size| {
        let mut inbox = Inbox::with_marina(size);
        inbox.press("i");
        inbox.types("Olá Marina, tudo bem?");
        inbox.press("ctrl+j");
        inbox.types("O reembolso cai em até 5 dias úteis na conta de origem.");
        inbox.waits(Duration::from_millis(300));
        inbox
    });
}

#[test]
fn every_overlay() {
    for (name, keys) in [
        ("help", "?"),
        ("palette", ":"),
        ("menu", "space"),
        ("hand_back", "b"),
        ("resolve", "X"),
        ("assign", "A"),
        ("context", "z 3"),
        ("react", "2 +"),
        ("templates", "T"),
    ] {
        let mut inbox = Inbox::with_marina((100, 30));
        inbox.press(keys);
        insta::assert_snapshot!(format!("overlay_{name}"), screen(&inbox, &dark()));
    }
}

#[test]
fn how_the_numbers_stand() {
    let mut inbox = Inbox::seeded((100, 30));
    inbox.press("B");
    assert!(inbox.toast().contains("for supervisors"), "{}", inbox.toast());
    let rita = Person { role: Role::Supervisor, ..person(ANA) };
    inbox.net(NetEvent::Welcome { me: rita, now: NOW });
    inbox.press("B");
    let shop = BoardNumber {
        name: "shop".into(),
        bot_on: true,
        sending_on: true,
        stopped: None,
        stopped_until: None,
        quality: Some("GREEN".into()),
        limit: Some("TIER_2K".into()),
        per_second: 80,
        coexistence: false,
        heard_at: Some(ago(4)),
        waiting: 3,
        late: 12,
        queued: 1,
        held: 0,
        templates: vec!["parcel_sent (de): paused".into()],
    };
    let repairs = BoardNumber {
        name: "repairs".into(),
        stopped: Some("the payment for our account does not work".into()),
        stopped_until: Some(NOW.plus(Duration::from_secs(400))),
        quality: Some("RED".into()),
        limit: None,
        per_second: 20,
        coexistence: true,
        heard_at: None,
        late: 0,
        held: 4,
        templates: vec![],
        ..shop.clone()
    };
    let warning = |grave, text: &str| Warning { at: ago(7_000), text: text.into(), grave };
    let board = Board {
        at: NOW,
        numbers: vec![shop, repairs],
        warnings: vec![
            warning(true, "the payment for our account does not work"),
            warning(false, "template parcel_sent (de): paused (three hours, for customers blocked us after it)"),
        ],
        costs: Some(month()),
    };
    inbox.server(ServerFrame::Board(Box::new(board)));
    insta::assert_snapshot!("overlay_board", screen(&inbox, &dark()));
}

fn month() -> Costs {
    let line = |name: &str, calls, unpriced, nanos| {
        let useful = calls - calls / 10;
        CostLine { name: name.into(), calls, useful, unpriced, nanos, ..CostLine::default() }
    };
    let charged = |category: &str, billable, messages| MessagePrices {
        number: "shop".into(),
        category: category.into(),
        kind: "regular".into(),
        billable,
        messages,
    };
    Costs {
        month: "2026-11".into(),
        total: line("", 412, 12, 412_300_000),
        days: vec![line("2026-11-19", 200, 0, 212_300_000), line("2026-11-20", 212, 12, 200_000_000)],
        numbers: vec![line("repairs", 12, 12, 0), line("shop", 400, 0, 412_300_000)],
        models: vec![
            line("anthropic claude-haiku-5-5", 340, 0, 112_300_000),
            line("anthropic claude-sonnet-5", 60, 0, 300_000_000),
            line("other small", 12, 12, 0),
        ],
        purposes: vec![line("answer", 400, 12, 400_300_000)],
        intents: vec![line("", 90, 0, 300_000_000), line("order_status", 322, 12, 112_300_000)],
        whatsapp: vec![charged("service", Some(false), 380), charged("utility", Some(true), 24)],
    }
}

#[test]
fn what_goes_where_if_it_is_split() {
    let mut inbox = Inbox::with_marina((100, 30));
    let mut thread = marina();
    thread.card.version = 9;
    let merged = Merged { at: ago(600), handle: "+55 ***4821".into(), messages: 3 };
    thread.card.merged = Some(merged);
    inbox.server(ServerFrame::Thread(Box::new(thread)));
    inbox.press("D");
    insta::assert_snapshot!("overlay_split", screen(&inbox, &dark()));
}

#[test]
fn a_file_on_its_way_out() {
    use crate::event::{FileNews, Looked};
    use baton_shared::file::Facts;
    let news = |inbox: &mut Inbox, news| inbox.happens(Cause::File(news));
    let of_marina = conversation(MARINA);
    for (width, height, theme, name) in [(120, 36, dark(), "dark"), (80, 24, plain(), "plain")] {
        let mut inbox = Inbox::with_marina((width, height));
        inbox.press("f");
        inbox.types("~/pictures/la");
        let choices = ["lamp one.png", "lamp two.png"].map(str::to_owned).into();
        let typed = "~/pictures/la".to_owned();
        news(&mut inbox, FileNews::Completed { conversation: of_marina, text: typed.clone(), typed, choices });
        insta::assert_snapshot!(format!("file_path_{name}"), screen(&inbox, &theme));
        inbox.press("enter");
        let facts = Facts::of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "la", 2_400_000);
        let path = "/home/ana/pictures/la".into();
        let found = Ok(Looked { typed: "~/pictures/la".into(), path, name: "la".into(), facts });
        news(&mut inbox, FileNews::Looked { conversation: of_marina, found });
        inbox.types("Is it this one?");
        insta::assert_snapshot!(format!("file_looked_{name}"), screen(&inbox, &theme));
        inbox.press("enter");
        let id = inbox.state.bringing[0].id;
        news(&mut inbox, FileNews::Moved { id, sent: 900_000, waits: false });
        insta::assert_snapshot!(format!("file_going_{name}"), screen(&inbox, &theme));
        inbox.press("f");
        insta::assert_snapshot!(format!("file_sheet_going_{name}"), screen(&inbox, &theme));
    }
}

#[test]
fn something_to_choose_from() {
    for (width, height, theme, name) in [(120, 36, dark(), "dark"), (80, 24, plain(), "plain")] {
        let mut inbox = Inbox::with_marina((width, height));
        inbox.press("c");
        insta::assert_snapshot!(format!("offer_kinds_{name}"), screen(&inbox, &theme));
        inbox.press("2");
        insta::assert_snapshot!(format!("offer_empty_{name}"), screen(&inbox, &theme));
        inbox.types("Qual delas?");
        inbox.press("tab tab");
        inbox.types("Torre | 150 cm");
        inbox.press("ctrl+j");
        inbox.types("Mesa");
        inbox.press("enter");
        insta::assert_snapshot!(format!("offer_list_{name}"), screen(&inbox, &theme));
    }
}

#[test]
fn what_was_offered() {
    use baton_shared::{
        content::Detail,
        offer::{Offer, Row as ListRow, Section, Words},
    };
    let mut inbox = Inbox::with_marina((120, 36));
    let words = Words { above: "Lumen".into(), body: "Qual delas?".into(), below: "até sexta".into() };
    let row = |title: &str, more: &str| ListRow { title: title.into(), description: more.into() };
    let sections = vec![Section { title: "Pé".into(), rows: vec![row("Torre", "150 cm"), row("Arco", "")] }];
    let offers = [
        Offer::Buttons { words: words.clone(), buttons: vec!["Torre".into(), "Arco".into()] },
        Offer::List { words, label: "Ver".into(), sections },
        Offer::AskPlace { body: "Onde você está?".into() },
    ];
    let said = offers.into_iter().zip(900..).map(|(offer, n)| {
        let body = Body {
            kind: "interactive".into(),
            text: offer.text(),
            detail: Some(Box::new(Detail { content: Some(offer.content()), ..Detail::default() })),
        };
        Message { body, delivery: Some(Delivery::Read), agent: Some(agent(1)), ..said(n, Author::Agent, 1, "") }
    });
    inbox.says(said.collect());
    inbox.press("z");
    insta::assert_snapshot!("what_was_offered", screen(&inbox, &dark()));
}

/// What each cell's style means, by letters of the theme.
fn styles(inbox: &Inbox, theme: &Theme) -> String {
    let (width, height) = inbox.state.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    paint(&inbox.state, theme, &mut buffer);
    let named = [
        ('p', theme.prod),
        ('u', theme.urgent),
        ('d', theme.danger),
        ('w', theme.warn),
        ('r', theme.read),
        ('y', theme.you),
        ('b', theme.bot),
        ('o', theme.peer),
        ('a', theme.accent),
        ('k', theme.ok),
        ('m', theme.muted),
        ('f', theme.faint),
        // On a light ground the customer's colour is that of all text.
        ('.', theme.customer),
        ('.', theme.fg),
    ];
    let mut map = String::new();
    for y in 0..height {
        let letter = |x| {
            let cell = &buffer[(x, y)];
            let style = |style: &&(char, ratatui::style::Style)| style.1.fg.is_some() && style.1.fg == Some(cell.fg);
            let letter = named.iter().find(style).map_or('?', |named| named.0);
            let is_selected = theme.selected.bg.is_some() && theme.selected.bg == Some(cell.bg);
            if is_selected {
                letter.to_ascii_uppercase()
            } else if cell.symbol() == " " {
                ' '
            } else {
                letter
            }
        };
        let line: String = (0..width).map(letter).collect();
        map.push_str(line.trim_end());
        map.push('\n');
    }
    map
}

#[test]
fn colours_mean_something() {
    let mut inbox = Inbox::with_marina((80, 24));
    inbox.press("k");
    insta::assert_snapshot!("styles_chat", styles(&inbox, &dark()));
    inbox.press("1");
    insta::assert_snapshot!("styles_queue", styles(&inbox, &dark()));
    let light = Theme::new(Tier::True, Ground::Light, false);
    assert_eq!(styles(&inbox, &dark()), styles(&inbox, &light), "the same meanings in every palette");
}

#[test]
fn the_first_start() {
    let mut inbox = Inbox::seeded((120, 36));
    inbox.state.settings.hints_seen = false;
    insta::assert_snapshot!(screen(&inbox, &dark()));
}

#[test]
fn the_first_steps_hide_nothing_that_a_customer_said() {
    for size in [(120, 36), (80, 24), (200, 60)] {
        let mut inbox = Inbox::with_marina(size);
        let before = screen(&inbox, &dark());
        inbox.state.settings.hints_seen = false;
        let shown = screen(&inbox, &dark());
        let panes = |screen: &str| screen.lines().take(usize::from(size.1) - 1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(panes(&shown), panes(&before));
        assert!(shown.contains("explains all"), "{shown}");
    }
}

#[test]
fn the_first_start_on_a_small_screen_hides_no_customer() {
    let mut inbox = Inbox::seeded((80, 24));
    let before = screen(&inbox, &dark());
    inbox.state.settings.hints_seen = false;
    let shown = screen(&inbox, &dark());
    assert!(shown.contains("u opens who needs you most"), "{shown}");
    let list = |screen: &str| screen.lines().take(22).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(list(&shown), list(&before));
}

#[test]
fn the_queue_says_what_is_the_matter_with_a_message() {
    let queue = |reason: &str, delivery, held| {
        let mut inbox = Inbox::seeded((120, 36));
        let since = ago(60);
        let last = Preview { author: Author::Bot, text: "Sure".into(), at: since, delivery };
        let row = Row {
            troubles: 1.max(2 * held),
            held,
            reason: Some(reason.into()),
            last: Some(last),
            version: 3,
            ..row(LUCIA, "Lucía", Control::Waiting { since })
        };
        inbox.brings(vec![row]);
        screen(&inbox, &dark())
    };
    let unknown = queue("message_unsettled", None, 0);
    assert!(unknown.contains("1 may not have arrived") && !unknown.contains("not sent"), "{unknown}");
    assert!(queue("asked_for_human", Some(Delivery::Unknown), 0).contains("? 1 may not have arrived"));
    assert!(queue("asked_for_human", Some(Delivery::Failed), 0).contains("✗ 1 not sent"));
    assert!(queue("asked_for_human", Some(Delivery::Read), 0).contains("1 to look at"));
    // What is kept back is another thing than what needs a person, and has a sign of its own.
    let both = queue("asked_for_human", Some(Delivery::Failed), 1);
    assert!(both.contains("✗ 1 not sent ∙ ⊘ 1 held"), "{both}");
}

#[test]
fn the_head_of_a_thread_says_why_words_are_kept_back() {
    let mut inbox = Inbox::with_marina((120, 36));
    assert!(!screen(&inbox, &dark()).contains("held"));
    let problem = "Not sent: sending is switched off. It can be sent again when it is on.";
    let held =
        Message { delivery: Some(Delivery::Held), problem: Some(problem.into()), ..said(204, Author::Agent, 37, "Ok") };
    inbox.says(vec![held]);
    let shown = screen(&inbox, &dark());
    assert!(shown.contains("⊘ held: sending is"), "{shown}");
}

#[test]
fn a_closed_window_hides_neither_the_age_nor_the_way_out() {
    let mut inbox = Inbox::seeded((120, 36));
    assert!(screen(&inbox, &dark()).contains("closed ⧗ 1h06m"));
    inbox.opens(DUBAI);
    let shown = screen(&inbox, &dark());
    let words = shown.replace("││", " ").replace(|letter: char| "│╮╯".contains(letter), " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("so then T sends a template"), "{shown}");
}

#[test]
fn a_lost_owners_thread_says_when_it_goes_back() {
    let mut inbox = Inbox::seeded((120, 36));
    let returns_at = Some(NOW.plus(Duration::from_secs(54)));
    let owner = Control::Agent { agent: agent(LEO), since: ago(300) };
    inbox.brings(vec![Row { returns_at, version: 5, ..row(KENJI, "Kenji Ota", owner) }]);
    inbox.opens(KENJI);
    let shown = screen(&inbox, &dark());
    assert!(shown.contains("LEO DUARTE gone, back in 0:53"), "{shown}");
}

#[test]
fn the_strip_shows_the_signs_of_the_queue() {
    let mut inbox = Inbox::with_marina((80, 24));
    inbox.press("-");
    inbox.opens(LUCIA);
    let shown = screen(&inbox, &dark());
    let strip = shown.lines().nth(1).unwrap();
    assert!(strip.contains("⚑ Aisha closes 51m"), "{strip}");
}

#[test]
fn a_proposal_to_somebody_elses_customer_says_what_comes_first() {
    let mut inbox = Inbox::with_marina((120, 36));
    let waiting = Control::Waiting { since: ago(466) };
    inbox.brings(vec![Row { version: 9, ..row(MARINA, "Marina Souza", waiting) }]);
    inbox.says(vec![said(107, Author::Customer, 1, "e o frete?")]);
    let shown = screen(&inbox, &dark());
    assert!(shown.contains("t takes over, then a approves"), "{shown}");
    assert!(shown.contains("they wrote since ─"), "{shown}");
}

/// A parcel on the way, as the server would make it small.
fn photo() -> Message {
    let media = Media {
        mime_type: Some("image/jpeg".into()),
        state: Some(MediaState::Stored),
        size: Some(183_500),
        thumbnail: true,
        ..Media::default()
    };
    let detail = Detail { content: Some(Content::Media(media)), ..Detail::default() };
    let body = Body { kind: "image".into(), text: "chegou assim".into(), detail: Some(Box::new(detail)) };
    let quote = Quote { message: None, author: Some(Author::Agent), text: "Já estou vendo".into() };
    Message { body, quote: Some(quote), ..said(191, Author::Customer, 5, "") }
}

#[test]
fn a_picture_says_what_can_be_done_with_it() {
    for (size, both) in [((120, 36), true), ((60, 16), true)] {
        let mut inbox = Inbox::with_marina(size);
        inbox.says(vec![photo()]);
        inbox.press("2 G");
        let shown = screen(&inbox, &dark());
        let chip = shown.lines().find(|line| line.contains("[image, ")).unwrap();
        assert_eq!(chip.contains("p preview  O open"), both, "{shown}");
        assert!(!shown.lines().any(|line| line.contains("> we:") && line.contains("preview")), "{shown}");
    }
}

#[test]
fn looking_at_a_picture() {
    let bytes = crate::picture::tests::png(160, 120, true);
    let picture = std::sync::Arc::new(Picture::read(&bytes).unwrap());
    for (name, theme) in
        [("dark", dark()), ("ascii", plain()), ("indexed", Theme::new(Tier::Indexed, Ground::Light, false))]
    {
        for size in [(120, 36), (80, 24), (60, 16)] {
            let mut inbox = Inbox::with_marina(size);
            inbox.says(vec![photo()]);
            inbox.press("2 G p");
            if name == "ascii" && size == (80, 24) {
                insta::assert_snapshot!("preview_loading", screen(&inbox, &theme));
            }
            let of = crate::fixture::message(191);
            inbox.happens(Cause::File(FileNews::Previewed { message: of, picture: Ok(picture.clone()) }));
            insta::assert_snapshot!(format!("preview_{name}_{}x{}", size.0, size.1), screen(&inbox, &theme));
        }
    }
    let mut inbox = Inbox::with_marina((80, 24));
    inbox.says(vec![photo()]);
    inbox.press("2 G p");
    let why = "There is no small picture of this file.".to_owned();
    inbox.happens(Cause::File(FileNews::Previewed { message: crate::fixture::message(191), picture: Err(why) }));
    insta::assert_snapshot!("preview_failed", screen(&inbox, &dark()));
}

#[test]
fn notes_are_kept_not_sent() {
    let mut inbox = Inbox::with_marina((120, 36));
    inbox.press("n");
    assert!(screen(&inbox, &dark()).contains("⏎ keep note"));
}

#[test]
fn how_messages_fare() {
    let mut inbox = Inbox::with_marina((120, 36));
    let sent = |n, seconds, delivery, problem: Option<&str>| Message {
        delivery: Some(delivery),
        problem: problem.map(Into::into),
        ..said(n, Author::Agent, seconds, "Ok")
    };
    inbox.says(vec![
        sent(201, 40, Delivery::Delivered, None),
        sent(202, 39, Delivery::Accepted, None),
        sent(203, 38, Delivery::Sending, None),
        sent(204, 37, Delivery::Held, Some("The window closed before it could go out.")),
        sent(
            205,
            36,
            Delivery::Failed,
            Some("WhatsApp refused it (131026): this number cannot receive messages just now."),
        ),
        sent(206, 35, Delivery::Unknown, Some("No answer came in time.")),
        Message { sent_again: true, ..sent(208, 34, Delivery::Unknown, None) },
        Message { late: true, ..said(207, Author::Customer, 300, "uma mensagem atrasada \u{202e}oculta") },
    ]);
    inbox.net(NetEvent::Lost { why: "connection reset".into(), retry_in: Duration::from_secs(4), gap: false });
    inbox.press("i");
    inbox.types("e mais uma");
    inbox.press("enter");
    insta::assert_snapshot!(screen(&inbox, &dark()));
}

#[test]
fn too_small_a_screen_says_so_and_loses_nothing() {
    let mut inbox = Inbox::with_marina((120, 36));
    inbox.press("i");
    inbox.types("kept");
    inbox.happens(Cause::Resize { columns: 59, rows: 15 });
    let small = screen(&inbox, &dark());
    assert!(small.contains("Needs 60x16.") && small.contains("Your text is kept."), "{small}");
    inbox.types("!");
    inbox.happens(Cause::Resize { columns: 80, rows: 24 });
    assert!(screen(&inbox, &dark()).contains("kept!"));
}

#[test]
fn the_caret_stands_where_one_types() {
    let mut inbox = Inbox::with_marina((80, 24));
    inbox.press("i");
    inbox.types("日本語");
    let (mut buffer, theme) = (Buffer::empty(Rect::new(0, 0, 80, 24)), dark());
    let caret = paint(&inbox.state, &theme, &mut buffer).unwrap();
    assert_eq!((caret.x, buffer[(caret.x - 2, caret.y)].symbol()), (8, "語"));
}

#[test]
fn whoever_waits_behind_a_filter_still_waits() {
    let mut inbox = Inbox::with_marina((80, 24));
    inbox.press("1 /");
    inbox.types("marina");
    inbox.press("enter 2");
    let shown = screen(&inbox, &dark());
    assert!(shown.contains("waiting") && !shown.contains("nobody waits"), "{shown}");
}

/// Prints how long frames take; nothing is asserted, for it depends on the machine:
/// `cargo test -p baton --release frame_time -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn frame_time() {
    use baton_shared::{Clock, SystemClock};

    let (size, clock) = ((240, 70), SystemClock::default());
    let mut inbox = Inbox::with_marina(size);
    let waits = |n: u64| row(1000 + n, &format!("Customer {n}"), Control::Waiting { since: ago(n % 280) });
    inbox.brings((0..10_000).map(waits).collect());
    let text = "Oi! O pedido 88121 chegou quebrado, queria saber quando cai o reembolso.";
    inbox.says((0..50_000).map(|n| said(100_000 + n, Author::Customer, 50_000 - n, text)).collect());
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    let mut times = Vec::new();
    for step in 0..2_000 {
        let key = ["k", "j", "ctrl+u", "ctrl+d", "tab"][step % 5];
        let before = clock.monotonic();
        inbox.press(key);
        buffer.reset();
        paint(&inbox.state, &dark(), &mut buffer);
        times.push(clock.monotonic() - before);
    }
    times.sort();
    println!(
        "key to frame at 240x70, 10,000 rows, 50,000 messages: p50 {:?}, p99 {:?}, max {:?}",
        times[1000], times[1980], times[1999]
    );
    inbox.waits(Duration::from_secs(3));
    let changed = (0..1_000).map(|n| Row { version: 2, ..waits(n) }).collect();
    let before = clock.monotonic();
    inbox.brings(changed);
    println!("1,000 rows change, 10,000 are ordered anew: {:?}", clock.monotonic() - before);
}

/// Keys that somebody might press, in any order.
const KEYS: [&str; 45] = [
    "j",
    "k",
    "g g",
    "G",
    "ctrl+d",
    "ctrl+u",
    "enter",
    "tab",
    "shift+tab",
    "1",
    "2",
    "3",
    "z",
    "u",
    "-",
    "h",
    "l",
    "/",
    "i",
    "n",
    "esc",
    "ctrl+j",
    "ctrl+s",
    "ctrl+z",
    "ctrl+y",
    "t",
    "b",
    "X",
    "R",
    "A",
    "E",
    "a",
    "e",
    "x",
    "]",
    "y",
    "v",
    "p",
    "S",
    "C",
    ":",
    "?",
    "space",
    "<",
    "up",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_keys_on_any_screen_paint_something(
        sizes in prop::collection::vec((1_u16..220, 1_u16..70), 1..4),
        keys in prop::collection::vec(prop::sample::select(KEYS.to_vec()), 0..40),
        text in strange::text(0..200),
        name in strange::text(0..12),
    ) {
        let mut inbox = Inbox::with_marina(sizes[0]);
        let hostile = Message { body: Body::text(text.clone()), ..said(300, Author::Customer, 5, "") };
        inbox.says(vec![hostile]);
        inbox.brings(vec![Row { version: 7, ..row(LUCIA, &name, Control::Bot) }]);
        let step = keys.len() / sizes.len() + 1;
        for (keys, (columns, rows)) in keys.chunks(step).zip(&sizes) {
            inbox.happens(Cause::Resize { columns: *columns, rows: *rows });
            for key in keys {
                inbox.press(key);
                if inbox.state.mode == Mode::Compose {
                    inbox.happens(Cause::Paste(text.clone()));
                }
                let mut buffer = Buffer::empty(Rect::new(0, 0, *columns, *rows));
                let caret = paint(&inbox.state, &dark(), &mut buffer);
                prop_assert!(caret.is_none_or(|caret| buffer.area.contains(caret)), "{key} {columns}x{rows} {caret:?}");
            }
        }
    }
}
