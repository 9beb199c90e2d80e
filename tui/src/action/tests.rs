//! Events in, state and effects out.

use std::{sync::Arc, time::Duration};

use baton_shared::{
    Control, Epoch, Micros,
    content::{Content, Detail, Media, MediaState},
    message::{Author, Body, Delivery, Edited, Message, Quote},
    protocol::{self, Act, Answer, Cursor, Draft, Refusal, Row, ServerFrame, Thread},
    template::{Filled, Template},
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::update;
use crate::{
    event::{Cause, Effect, Event, FileAsk, FileNews},
    fixture::*,
    local::{Slot, Write},
    net::{NetEvent, Request, Stop},
    picture::Picture,
    state::{
        Mode, Pane,
        line::Phase,
        overlay::{Overlay, Shown},
        queue::Item,
        urgency::Section,
    },
    text::{Anchor, Clean},
};

const WIDE: (u16, u16) = (120, 36);

fn sections(inbox: &Inbox) -> Vec<(Section, usize)> {
    let counted = |section| (section, inbox.state.queue.count(section));
    Section::ALL.into_iter().map(counted).filter(|(_, count)| *count > 0).collect()
}

fn names(inbox: &Inbox) -> Vec<String> {
    let name = |item: &Item| match item {
        Item::Section(section) => format!("{section:?}"),
        Item::Row(id) => inbox.state.queue.get(*id).map(|row| row.customer.to_string()).unwrap_or_default(),
    };
    inbox.state.queue.items().iter().map(name).collect()
}

fn selected(inbox: &Inbox) -> String {
    inbox
        .state
        .queue
        .selected_row()
        .and_then(|id| inbox.state.queue.get(id))
        .map_or(String::new(), |row| row.customer.to_string())
}

fn newcomer(n: u64, seconds: u64) -> Row {
    let since = ago(seconds);
    Row { waiting_since: Some(since), ..row(n, "Nova Cliente", Control::Waiting { since }) }
}

#[test]
fn whoever_is_added_later_has_a_name() {
    let mut inbox = Inbox::seeded(WIDE);
    let lou = protocol::Person { id: agent(44), name: "Lou".into(), role: baton_shared::Role::Supervisor };
    assert_eq!(inbox.state.name(lou.id).as_str(), "a colleague");
    let events = protocol::Events { people: people().into_iter().chain([lou.clone()]).collect(), ..no_events(NOW) };
    inbox.server(ServerFrame::Events(events));
    assert_eq!(inbox.state.name(lou.id).as_str(), "Lou");
    inbox.server(ServerFrame::Events(no_events(NOW)));
    assert_eq!(inbox.state.name(lou.id).as_str(), "Lou", "an empty frame says nothing of people");
}

#[test]
fn the_queue_is_sorted_by_what_cannot_wait() {
    let inbox = Inbox::seeded(WIDE);
    assert_eq!(
        sections(&inbox),
        [
            (Section::Now, 3),
            (Section::Mine, 2),
            (Section::Waiting, 3),
            (Section::Team, 1),
            (Section::Bot, 2),
            (Section::Elsewhere, 1),
            (Section::Resolved, 1)
        ]
    );
    let expected = [
        "Now",
        // Closed windows and all: a template reaches them.
        "+971 50 ***884",
        "+44 7700 ***612",
        "Aisha Bello",
        "Mine",
        "Marina Souza",
        "João Pires",
        "Waiting",
        "Lucía Fernández",
        "Tom Becker",
        "Priya Nair",
        "Team",
        "Bot",
        "Elsewhere",
        "Resolved",
    ];
    assert_eq!(names(&inbox), expected);
}

#[test]
fn time_alone_makes_a_conversation_overdue() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.waits(Duration::from_secs(109));
    assert_eq!(inbox.state.queue.count(Section::Now), 3);
    inbox.waits(Duration::from_secs(1));
    assert_eq!(inbox.state.queue.count(Section::Now), 4, "Lucía has waited for five minutes");
}

#[test]
fn nothing_moves_under_the_cursor_until_two_seconds_of_rest() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.press("j j j");
    assert_eq!(selected(&inbox), "Marina Souza");
    let before = names(&inbox);
    inbox.brings(vec![newcomer(50, 9000)]);
    assert_eq!(names(&inbox), before, "the order stands still");
    assert_eq!(inbox.state.queue.new_above(), 1);
    inbox.waits(Duration::from_secs(3));
    assert_eq!(names(&inbox)[1], "Nova Cliente");
    assert_eq!(selected(&inbox), "Marina Souza", "the cursor goes with its row");
    assert_eq!(inbox.state.queue.new_above(), 0, "it is on screen now");
}

#[test]
fn gg_brings_what_is_new_at_once() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.press("j j");
    inbox.brings(vec![newcomer(50, 9000)]);
    inbox.press("g g");
    assert_eq!(selected(&inbox), "Nova Cliente");
    assert_eq!(inbox.state.queue.new_above(), 0);
}

#[test]
fn an_older_row_never_replaces_a_newer() {
    let mut inbox = Inbox::seeded(WIDE);
    let newer = Row { version: 5, customer: "Newer".into(), ..row(JOAO, "", Control::Bot) };
    let older = Row { version: 4, customer: "Older".into(), ..row(JOAO, "", Control::Bot) };
    inbox.brings(vec![newer, older]);
    assert_eq!(inbox.state.queue.get(conversation(JOAO)).unwrap().customer.as_str(), "Newer");
}

#[test]
fn the_cursor_survives_the_loss_of_its_row() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.press("j j j j");
    assert_eq!(selected(&inbox), "João Pires");
    inbox.waits(Duration::from_secs(3));
    let row = Row { version: 2, ..row(JOAO, "João Pires", Control::Resolved { at: NOW }) };
    inbox.brings(vec![row]);
    assert_eq!(selected(&inbox), "Lucía Fernández", "the one that stands there now");
}

#[test]
fn until_somebody_chooses_the_cursor_is_on_the_most_urgent() {
    let mut inbox = Inbox::empty(WIDE);
    inbox.net(NetEvent::Welcome { me: person(ANA), now: NOW });
    let snapshot = |rows| ServerFrame::Snapshot { as_of: Cursor("0".into()), rows, people: people() };
    inbox.server(snapshot(vec![row(31, "Bot One", Control::Bot)]));
    inbox.brings(vec![newcomer(50, 10)]);
    assert_eq!(selected(&inbox), "Nova Cliente");
    inbox.brings(vec![newcomer(51, 20)]);
    assert_eq!(inbox.state.queue.selected_row(), Some(conversation(51)));
    inbox.press("j");
    inbox.waits(Duration::from_secs(3));
    inbox.brings(vec![newcomer(52, 30)]);
    assert_eq!(inbox.state.queue.selected_row(), Some(conversation(50)), "chosen, so it stays");
}

#[test]
fn u_opens_the_most_urgent_and_says_why() {
    let mut inbox = Inbox::seeded(WIDE);
    let effects = inbox.press("u");
    assert_eq!(inbox.state.open, Some(conversation(DUBAI)));
    assert!(effects.contains(&Effect::Net(Request::Open(conversation(DUBAI)))));
    assert!(inbox.toast().contains("1h06m"), "{}", inbox.toast());
    inbox.press("u");
    assert_eq!(inbox.state.open, Some(conversation(LONDON)), "not the one that is open already");
}

#[test]
fn take_is_one_key_and_says_so_when_it_is_done() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    let effects = inbox.press("t");
    let command = commands(&effects).remove(0);
    assert_eq!(command.act, Act::Take { epoch: Epoch(1) });
    inbox.press("t");
    assert!(inbox.toast().contains("taking over already"));
    inbox.answers(command, done(2));
    let row = inbox.state.open_row().unwrap();
    assert_eq!((row.control.owner(), row.epoch), (Some(agent(ANA)), Epoch(2)), "before the server's row is here");
    assert!(inbox.toast().contains("the bot is silent"));
}

#[test]
fn promise_4_who_loses_the_race_is_told_who_has_it() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    let effects = inbox.press("t");
    let refused = Answer::Refused { code: Refusal::NotYours, why: "taken".into(), owner: Some(agent(LEO)) };
    inbox.answers(commands(&effects).remove(0), refused);
    assert_eq!(inbox.toast(), "not taken: Leo Duarte has it");
}

#[test]
fn a_bot_that_is_writing_is_asked_about_first() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.brings(vec![Row { version: 2, bot_busy: true, ..row(31, "Bot One", Control::Bot) }]);
    inbox.opens(31);
    assert_eq!(acts(&inbox.press("t")), []);
    assert!(matches!(inbox.state.overlays.last(), Some(Overlay::Take(_))));
    assert_eq!(acts(&inbox.press("enter")), [Act::Take { epoch: Epoch(1) }]);
    assert!(inbox.state.overlays.is_empty());
}

#[test]
fn a_supervisor_steals_with_a_reason_and_an_agent_does_not() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(KENJI);
    inbox.press("t");
    assert_eq!(inbox.toast(), "take over: Leo Duarte has it; ask for a transfer, or a supervisor");
    inbox.net(NetEvent::Welcome { me: person(RITA), now: NOW });
    inbox.press("t enter");
    assert!(inbox.toast().contains("a reason is needed"));
    inbox.types("Leo is ill");
    let expected = Act::Assign { epoch: Epoch(1), to: agent(RITA), reason: "Leo is ill".into() };
    assert_eq!(acts(&inbox.press("enter")), [expected]);
}

#[test]
fn every_disabled_action_says_why() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    inbox.press("i");
    assert_eq!(inbox.toast(), "reply: waits for a person; t takes over");
    inbox.opens(KENJI);
    inbox.press("b");
    assert_eq!(inbox.toast(), "back to bot: Leo Duarte has it");
    inbox.press("a");
    assert_eq!(inbox.toast(), "approve: the bot proposes nothing");
}

#[test]
fn a_reply_goes_to_disk_then_to_the_line_with_what_was_seen() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("Em 5 dias.");
    let effects = inbox.press("enter");
    let expected = Act::Send { epoch: Epoch(1), text: "Em 5 dias.".into(), seen: Some(message(106)), reply_to: None };
    assert_eq!(acts(&effects), [expected]);
    let first_write = effects.iter().find_map(|effect| match effect {
        Effect::Keep(write) => Some(write),
        _ => None,
    });
    assert!(matches!(first_write, Some(Write::Command(_))), "the command is on disk before the draft is gone");
    assert_eq!(inbox.written(), "");
    assert_eq!(inbox.state.commands.of(conversation(MARINA)).count(), 1, "it shows as on its way");
    inbox.answers(
        commands(&effects).remove(0),
        Answer::Done { epoch: Epoch(1), message: Some(message(200)), last_bot_word: None, settles_by: None },
    );
    assert_eq!(inbox.state.commands.of(conversation(MARINA)).count(), 1, "until its message is there");
    inbox.says(vec![said(200, Author::Agent, 0, "Em 5 dias.")]);
    assert_eq!(inbox.state.commands.of(conversation(MARINA)).count(), 0);
}

#[test]
fn a_customer_who_wrote_meanwhile_is_seen_before_anything_is_sent() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("ok");
    let effects = inbox.press("enter");
    inbox.answers(commands(&effects).remove(0), Answer::WroteMeanwhile { newest: message(300) });
    assert_eq!(inbox.written(), "ok");
    assert_eq!(inbox.toast(), "Marina Souza wrote meanwhile; Enter again to send");
    let again = acts(&inbox.press("enter"));
    assert_eq!(again, [Act::Send { epoch: Epoch(1), text: "ok".into(), seen: Some(message(300)), reply_to: None }]);
}

#[test]
fn what_is_above_the_screen_has_not_been_seen() {
    let mut inbox = Inbox::with_marina((120, 20));
    let long = "line\n".repeat(60);
    inbox.press("g g");
    inbox.says(vec![said(301, Author::Customer, 1, &long)]);
    inbox.press("i");
    inbox.types("ok");
    let Some(Act::Send { seen, .. }) = acts(&inbox.press("enter")).into_iter().next() else { panic!("nothing sent") };
    assert_eq!(seen, Some(message(106)), "scrolled up, the new message is not on screen");
}

#[test]
fn promise_9_refused_text_comes_back() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("my words");
    let effects = inbox.press("enter");
    inbox.types("next");
    let refused = Answer::Refused { code: Refusal::Outdated, why: "Leo took it".into(), owner: None };
    inbox.answers(commands(&effects).remove(0), refused);
    assert_eq!(inbox.toast(), "not sent: Leo took it; your text is kept");
    assert_eq!(inbox.written(), "next");
    inbox.press("ctrl+s ctrl+s");
    assert_eq!(inbox.written(), "next");
    let composer = inbox.state.open_composer().unwrap();
    assert_eq!(composer.stash, ["my words".to_owned()]);
}

#[test]
fn promise_9_typed_text_survives_everything_that_happens_around_it() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("half a sen");
    let taken = Row {
        version: 9,
        epoch: Epoch(2),
        ..row(MARINA, "Marina Souza", Control::Agent { agent: agent(LEO), since: NOW })
    };
    inbox.brings(vec![taken]);
    inbox.press("enter");
    assert_eq!(inbox.toast(), "send: Leo Duarte has it");
    inbox.net(NetEvent::Lost { why: "gone".into(), retry_in: Duration::from_secs(1), gap: false });
    inbox.press("esc");
    inbox.opens(LUCIA);
    assert_eq!(inbox.written(), "", "it does not follow me to another customer");
    inbox.opens(MARINA);
    assert_eq!(inbox.written(), "half a sen");
}

#[test]
fn drafts_are_kept_a_moment_after_the_last_key_then_told_to_the_server() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    let effects = inbox.types("abc");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Keep(_) | Effect::Net(Request::Draft { .. }))));
    let effects = inbox.waits(Duration::from_millis(250));
    let kept = effects.iter().position(|effect| matches!(effect, Effect::Keep(Write::Desk { slot: Slot::Reply, .. })));
    let told = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Net(Request::Draft { text, based_on: 0, .. }) if text == "abc"));
    assert!(kept.is_some() && kept < told, "{effects:?}");
    inbox.server(ServerFrame::DraftSaved { conversation: conversation(MARINA), revision: 1 });
    inbox.types("d");
    let effects = inbox.waits(Duration::from_secs(1));
    let told = effects.iter().any(|effect| matches!(effect, Effect::Net(Request::Draft { based_on: 1, .. })));
    assert!(told, "{effects:?}");
}

#[test]
fn a_draft_from_elsewhere_shows_in_an_empty_composer() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(MARINA);
    let draft = Draft { text: "from the laptop".into(), revision: 7, written_at: ago(60) };
    inbox.server(ServerFrame::Thread(Box::new(Thread { draft: Some(draft), ..marina() })));
    assert_eq!(inbox.written(), "from the laptop");
    let effects = inbox.waits(Duration::from_secs(1));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Net(Request::Draft { .. }))), "the server has it");
}

#[test]
fn a_paste_is_never_sent_by_its_own_line_ends() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    assert_eq!(acts(&inbox.happens(Cause::Paste("one\ntwo\n".into()))), []);
    assert_eq!(acts(&inbox.press("enter")), []);
    assert!(inbox.toast().starts_with("pasted 2 lines; ⏎ again"), "{}", inbox.toast());
    assert_eq!(acts(&inbox.press("enter")).len(), 1);
}

#[test]
fn a_paste_that_no_terminal_announces_is_a_paste_too() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    let now = inbox.state.now;
    for (n, letter) in "ab\rcd\r".chars().enumerate() {
        let code = if letter == '\r' { KeyCode::Enter } else { KeyCode::Char(letter) };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        let at = Micros(now.0 + 1000 * i64::try_from(n).unwrap());
        let effects = update(&mut inbox.state, Event { now: at, cause: Cause::Key(key) });
        assert_eq!(acts(&effects), []);
    }
    assert_eq!(inbox.written(), "ab\ncd\n");
}

#[test]
fn words_that_come_at_once_over_a_slow_line_are_sent_by_the_next_enter() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    let at_once = |inbox: &mut Inbox, text: &str| -> Vec<Act> {
        let keys = text.chars().map(|letter| if letter == '\r' { KeyCode::Enter } else { KeyCode::Char(letter) });
        let now = inbox.state.now.plus(Duration::from_secs(1));
        let press = |code| {
            let cause = Cause::Key(KeyEvent::new(code, KeyModifiers::NONE));
            update(&mut inbox.state, Event { now, cause })
        };
        let acts = keys.map(press).flat_map(|effects| acts(&effects));
        acts.filter(|act| !matches!(act, Act::Read { .. })).collect()
    };
    assert_eq!(at_once(&mut inbox, "yes\r"), []);
    assert_eq!(inbox.written(), "yes\n");
    inbox.waits(Duration::from_secs(2));
    let Some(Act::Send { text, .. }) = acts(&inbox.press("enter")).pop() else { panic!("not sent") };
    assert_eq!(text, "yes");
    inbox.happens(Cause::Paste(String::new()));
    at_once(&mut inbox, "hi\r");
    assert_eq!(inbox.state.commands.unsent(), 2, "where pastes are announced, quick keys are keys");
}

#[test]
fn a_paste_outside_the_composer_takes_over_nothing() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    let now = inbox.state.now;
    for (n, letter) in "hot".chars().enumerate() {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        let at = Micros(now.0 + 1_000_000 + 1000 * i64::try_from(n).unwrap());
        let effects = update(&mut inbox.state, Event { now: at, cause: Cause::Key(key) });
        assert_eq!(acts(&effects), []);
    }
    assert!(inbox.toast().contains("a paste is no command"), "{}", inbox.toast());
}

#[test]
fn notes_are_for_colleagues() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    inbox.press("n");
    inbox.types("called her");
    assert_eq!(acts(&inbox.press("enter")), [Act::Note { text: "called her".into() }]);
    assert_eq!(inbox.state.mode, Mode::Normal);
}

#[test]
fn handing_back_needs_a_sheet_that_keeps_its_words() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("b");
    inbox.types("Refund ok");
    inbox.press("tab");
    inbox.types("5 days");
    inbox.press("esc");
    inbox.press("b tab tab right");
    let effects = inbox.press("enter");
    let expected = Act::HandBack {
        epoch: Epoch(1),
        outcome: "answered".into(),
        note: "Refund ok".into(),
        promised: "5 days".into(),
    };
    assert_eq!(acts(&effects), [expected]);
    inbox.answers(commands(&effects).remove(0), done(2));
    let composer = inbox.state.open_composer().unwrap();
    assert!(composer.is_empty(Slot::HandBack) && composer.is_empty(Slot::Promised), "told, so gone");
}

#[test]
fn resolve_release_assign_and_escalate_are_commands() {
    let mut inbox = Inbox::with_marina(WIDE);
    assert_eq!(acts(&inbox.press("X 4 enter")), [Act::Resolve { epoch: Epoch(1), outcome: "not_solved".into() }]);
    assert_eq!(acts(&inbox.press("R")), [Act::Release { epoch: Epoch(1) }]);
    let given = acts(&inbox.press("A enter"));
    assert_eq!(given, [Act::Assign { epoch: Epoch(1), to: agent(LEO), reason: String::new() }]);
    inbox.opens(31);
    assert_eq!(acts(&inbox.press("E")), [Act::Escalate { epoch: Epoch(1), reason: "asked_by_agent".into() }]);
}

#[test]
fn a_proposal_is_approved_with_one_key_unless_the_customer_wrote_since() {
    let mut inbox = Inbox::with_marina(WIDE);
    let text = marina().card.proposals.remove(0).text;
    let approved =
        |seen| Act::UseProposal { epoch: Epoch(1), proposal: proposal(1), text: text.clone(), seen: Some(seen) };
    assert_eq!(acts(&inbox.press("a")), [approved(message(106))]);

    let mut inbox = Inbox::with_marina(WIDE);
    inbox.says(vec![said(107, Author::Customer, 1, "e o frete?")]);
    assert_eq!(acts(&inbox.press("a")), []);
    assert!(inbox.toast().contains("wrote after this was made"));
    assert_eq!(acts(&inbox.press("a")), [approved(message(107))]);
}

#[test]
fn an_edited_proposal_joins_what_was_written() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("Abs, Ana");
    inbox.press("esc e");
    assert!(inbox.written().starts_with("Marina, aprovei") && inbox.written().ends_with("\n\nAbs, Ana"));
    inbox.press("ctrl+z");
    assert_eq!(inbox.written(), "Abs, Ana");
    inbox.press("ctrl+y");
    assert!(matches!(acts(&inbox.press("enter"))[..], [Act::UseProposal { .. }]));
}

#[test]
fn sending_again_warns_first() {
    let mut inbox = Inbox::with_marina(WIDE);
    let unknown = Message { version: 2, delivery: Some(Delivery::Unknown), ..said(105, Author::Agent, 120, "x") };
    inbox.says(vec![unknown]);
    assert_eq!(acts(&inbox.press("S")), []);
    assert_eq!(acts(&inbox.press("enter")), [Act::Resend { epoch: Epoch(1), message: message(105) }]);
}

#[test]
fn browsing_is_not_reading() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("1");
    assert_eq!(acts(&inbox.waits(Duration::from_secs(5))), [], "the cursor is in the queue");
    inbox.press("2");
    assert_eq!(acts(&inbox.waits(Duration::from_millis(900))), []);
    assert_eq!(acts(&inbox.waits(Duration::from_millis(100))), [Act::Read { through: message(106) }]);
    assert_eq!(acts(&inbox.waits(Duration::from_secs(5))), [], "once");
}

#[test]
fn older_pages_are_fetched_where_the_start_comes_near_and_nothing_jumps() {
    let mut inbox = Inbox::seeded((120, 20));
    inbox.opens(MARINA);
    let effects = inbox.server(ServerFrame::Thread(Box::new(Thread { more: true, ..marina() })));
    let history = effects.iter().filter(|effect| matches!(effect, Effect::Net(Request::History { .. }))).count();
    assert_eq!(history, 1, "a short thread wants more at once");
    inbox.press("g g");
    let thread = inbox.state.open_thread().unwrap();
    assert_eq!((thread.anchor, thread.loading), (Anchor::Top { item: 0, row: 0 }, true));
    let older: Vec<Message> = (0..20).map(|n| said(400 + n, Author::Customer, 90_000 + n, "older")).collect();
    inbox.server(ServerFrame::History {
        conversation: conversation(MARINA),
        messages: older,
        marks: vec![],
        more: false,
    });
    let thread = inbox.state.open_thread().unwrap();
    assert_eq!(thread.anchor, Anchor::Top { item: 20, row: 0 }, "what was on top is still on top");
    assert!(!thread.more && !thread.loading);
}

#[test]
fn a_thread_with_a_hole_is_begun_anew() {
    let mut inbox = Inbox::with_marina(WIDE);
    let messages = (0..50).rev().map(|n| said(500 + n, Author::Customer, n, "much later")).collect();
    inbox.server(ServerFrame::Thread(Box::new(Thread { messages, marks: vec![], more: true, ..marina() })));
    let thread = inbox.state.open_thread().unwrap();
    assert_eq!(thread.entries().len(), 50);
    assert!(thread.more);
}

#[test]
fn after_a_snapshot_a_thread_holds_nothing_from_before() {
    let mut inbox = Inbox::with_marina(WIDE);
    let rows = vec![marina().row];
    inbox.server(ServerFrame::Snapshot { as_of: Cursor("9".into()), rows, people: people() });
    let last = marina().messages.pop().unwrap();
    let (id, page) = (last.id, Thread { messages: vec![last], marks: vec![], more: true, ..marina() });
    inbox.server(ServerFrame::Thread(Box::new(page)));
    let thread = inbox.state.open_thread().unwrap();
    assert_eq!(thread.messages().map(|said| said.id).collect::<Vec<_>>(), [id], "older ones may have changed");
    assert!(thread.more);
}

#[test]
fn a_change_of_control_is_one_line_whoever_tells_of_it() {
    let mut inbox = Inbox::with_marina(WIDE);
    let count = inbox.state.open_thread().unwrap().entries().len();
    let mut events = no_events(NOW);
    events.events = vec![protocol::Event {
        kind: "released".into(),
        at: NOW,
        conversation: Some(conversation(MARINA)),
        message: None,
        agent: Some(agent(ANA)),
        detail: Some(String::new()),
    }];
    inbox.server(ServerFrame::Events(events));
    let mark = protocol::Mark { at: NOW, kind: "released".into(), agent: Some(agent(ANA)), detail: None };
    inbox.server(ServerFrame::Thread(Box::new(Thread { marks: vec![mark], ..marina() })));
    assert_eq!(inbox.state.open_thread().unwrap().entries().len(), count + 1);
}

#[test]
fn a_message_that_moves_in_time_is_there_once() {
    let mut inbox = Inbox::with_marina(WIDE);
    let count = inbox.state.open_thread().unwrap().entries().len();
    let sent = Message { version: 2, ..said(105, Author::Agent, 2, "Oi Marina") };
    inbox.says(vec![sent.clone(), Message { version: 1, ..sent }]);
    let thread = inbox.state.open_thread().unwrap();
    assert_eq!(thread.entries().len(), count);
    assert_eq!(thread.messages().next_back().unwrap().id, message(105));
}

#[test]
fn the_line_is_told_to_hurry_when_a_key_is_pressed() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.net(NetEvent::Lost { why: "cut".into(), retry_in: Duration::from_secs(9), gap: false });
    assert!(matches!(inbox.state.line.phase, Phase::Waiting { .. }));
    assert!(inbox.press("j").contains(&Effect::Net(Request::Nudge)));
    inbox.net(NetEvent::Stopped(Stop::Version("update this client".into())));
    assert_eq!(inbox.toast(), "update this client");
}

#[test]
fn quitting_keeps_text_and_asks_if_somebody_is_mine_or_something_is_on_its_way() {
    let mut inbox = Inbox::empty(WIDE);
    assert!(inbox.press("q").contains(&Effect::Quit), "nobody is left alone");
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("draft");
    let effects = inbox.press("esc q");
    assert!(!effects.contains(&Effect::Quit) && inbox.press("y").contains(&Effect::Quit));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Keep(Write::Desk { .. }))));

    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("hi");
    inbox.press("enter esc");
    assert!(!inbox.press("q").contains(&Effect::Quit));
    assert!(matches!(inbox.state.overlays.last(), Some(Overlay::Quit)));
    assert!(inbox.press("y").contains(&Effect::Quit));
}

#[test]
fn a_command_that_grew_old_gives_its_words_back() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("hi");
    let command = commands(&inbox.press("enter")).remove(0);
    inbox.net(NetEvent::Expired(Box::new(command)));
    assert_eq!(inbox.written(), "hi");
    assert_eq!(inbox.state.commands.unsent(), 0);
}

#[test]
fn a_conversation_that_vanishes_closes_and_keeps_its_draft() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("hi");
    let mut events = no_events(NOW);
    events.gone = vec![conversation(MARINA)];
    inbox.server(ServerFrame::Events(events));
    assert_eq!((inbox.state.open, inbox.state.focus, inbox.state.mode), (None, Pane::Queue, Mode::Normal));
    let composer = inbox.state.composers.get(&conversation(MARINA)).unwrap();
    assert!(!composer.is_empty(Slot::Reply));
}

#[test]
fn colons_and_question_marks_reach_every_action() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press(":");
    inbox.types("q");
    inbox.press("enter");
    assert!(matches!(inbox.state.overlays.last(), Some(Overlay::Quit)));
    inbox.press("esc");
    inbox.press(":");
    inbox.types("rel");
    assert_eq!(acts(&inbox.press("enter")), [Act::Release { epoch: Epoch(1) }]);
    for spec in crate::keys::TABLE {
        inbox.press(":");
        inbox.types(spec.id);
        let Some(Overlay::Palette(picker)) = inbox.state.overlays.last() else { panic!("{}", spec.id) };
        assert_eq!(picker.actions().first(), Some(&spec.action), "{}", spec.id);
        inbox.press("esc");
    }
}

#[test]
fn space_shows_what_the_keys_do_and_then_does_it() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.press("space");
    assert_eq!(inbox.state.typed.len(), 1);
    inbox.press("u");
    assert_eq!(inbox.state.open, Some(conversation(DUBAI)));
    inbox.press("space w c");
    assert!(inbox.state.settings.hide_context);
}

#[test]
fn the_filter_finds_names_in_folded_sections() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.press("/");
    inbox.types("KEN");
    assert_eq!(names(&inbox), ["Team", "Kenji Ota"]);
    assert_eq!(inbox.state.queue.total(Section::Waiting), 3, "those who wait are not forgotten");
    inbox.press("enter");
    assert_eq!(inbox.state.open, Some(conversation(KENJI)));
    inbox.press("esc esc");
    assert!(inbox.state.queue.filter.is_empty());
}

#[test]
fn whoever_looks_elsewhere_is_told_without_names() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.happens(Cause::Focus(false));
    let effects = inbox.brings(vec![newcomer(50, 10), newcomer(51, 5)]);
    let told: Vec<&str> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["2 conversations need a person"]);
    let mine =
        Row { version: 9, unread: 2, ..row(JOAO, "João Pires", Control::Agent { agent: agent(ANA), since: NOW }) };
    let effects = inbox.brings(vec![mine]);
    assert!(effects.contains(&Effect::Notify(Clean::from_static("1 customer of yours wrote"))));
}

#[test]
fn a_window_of_mine_that_is_about_to_close_is_announced_once() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.waits(Duration::from_secs(43 * 60));
    assert!(inbox.toast().starts_with("Aisha Bello: the window closes in 9m"), "{}", inbox.toast());
    inbox.waits(Duration::from_secs(20));
    assert_eq!(inbox.toast(), "");
}

#[test]
fn the_bots_last_word_goes_before_mine_and_the_composer_says_so() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(31);
    let thread = Thread { row: row(31, "Bot One", Control::Bot), messages: vec![], marks: vec![], ..marina() };
    inbox.server(ServerFrame::Thread(Box::new(thread)));
    let command = commands(&inbox.press("t")).remove(0);
    let by = NOW.plus(Duration::from_secs(10));
    inbox.answers(
        command,
        Answer::Done { epoch: Epoch(2), message: None, last_bot_word: Some(message(400)), settles_by: Some(by) },
    );
    let waits = |inbox: &Inbox| inbox.state.open_thread().unwrap().waits_for_bot(inbox.state.now);
    assert_eq!(waits(&inbox), Some(by));
    let settled = Message {
        conversation: conversation(31),
        delivery: Some(Delivery::Accepted),
        ..said(400, Author::Bot, 0, "last word")
    };
    inbox.says(vec![settled]);
    assert_eq!(waits(&inbox), None);
}

#[test]
fn the_first_hints_go_away_and_stay_away() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.state.settings.hints_seen = false;
    let mut effects = inbox.press("j j j j j j");
    assert!(!inbox.state.settings.hints_seen);
    effects.extend(inbox.press("k k k k k k"));
    assert!(inbox.state.settings.hints_seen);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Keep(Write::Settings(_)))));
}

#[test]
fn one_key_leads_to_what_a_message_replies_to() {
    let mut inbox = Inbox::with_marina(WIDE);
    let quote = Quote { message: Some(message(101)), author: Some(Author::Customer), text: "Oi".into() };
    inbox.says(vec![Message { quote: Some(quote), ..said(110, Author::Customer, 1, "sim") }]);
    inbox.press("2 G o");
    let thread = inbox.state.open_thread().unwrap();
    assert_eq!(thread.cursor, Some(message(101)));
    inbox.press("o");
    assert!(inbox.toast().contains("replies to none"), "{}", inbox.toast());
}

#[test]
fn what_its_author_changed_is_marked_and_the_first_words_are_kept() {
    let mut inbox = Inbox::with_marina(WIDE);
    let edited = Edited { at: NOW, before: "two lamps".into() };
    inbox.says(vec![Message { edited: Some(edited), ..said(110, Author::Customer, 1, "three lamps") }]);
    let said = inbox.state.open_thread().unwrap().get(message(110)).unwrap();
    assert_eq!((said.marks.as_slice(), said.shown().as_str()), (["edited"].as_slice(), "three lamps"));
    assert!(said.raw.as_deref().unwrap().contains("two lamps"));
}

fn parcel(status: &str) -> Template {
    Template {
        name: "parcel".into(),
        language: "en".into(),
        category: "UTILITY".into(),
        status: status.into(),
        quality: None,
        header: None,
        body: "Hello {{1}}, it comes on {{2}}.".into(),
        footer: None,
        buttons: vec![],
    }
}

#[test]
fn a_template_is_found_filled_in_and_sent() {
    let mut inbox = Inbox::with_marina(WIDE);
    let asked = inbox.press("T");
    assert!(asked.iter().any(|effect| matches!(effect, Effect::Net(Request::Templates(_)))), "{asked:?}");
    let templates = vec![parcel("APPROVED"), Template { name: "old".into(), ..parcel("PAUSED") }];
    inbox.server(ServerFrame::Templates { conversation: conversation(MARINA), templates });
    inbox.types("old");
    inbox.press("enter");
    assert!(inbox.toast().contains("paused"), "{}", inbox.toast());
    inbox.press("ctrl+u");
    inbox.types("parc");
    inbox.press("enter");
    inbox.types("Marina");
    assert_eq!(acts(&inbox.press("enter enter")), [], "a field is empty");
    assert!(inbox.toast().contains("`2` is empty"), "{}", inbox.toast());
    inbox.types("Friday");
    let template =
        Filled { name: "parcel".into(), language: "en".into(), values: vec!["Marina".into(), "Friday".into()] };
    let sent = acts(&inbox.press("enter"));
    assert_eq!(sent, [Act::SendTemplate { epoch: Epoch(1), template, seen: Some(message(106)) }]);
}

#[test]
fn a_reply_remembers_what_it_replies_to_until_it_is_sent() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("2 k r");
    let quoted = inbox.state.open_composer().unwrap().reply_to;
    assert!(quoted.is_some());
    inbox.types("sim");
    let sent = acts(&inbox.press("enter"));
    assert!(matches!(&sent[..], [Act::Send { reply_to, .. }] if *reply_to == quoted), "{sent:?}");
    assert_eq!(inbox.state.open_composer().unwrap().reply_to, None);
    inbox.press("esc r esc i");
    assert_eq!(inbox.state.open_composer().unwrap().reply_to, None, "a plain reply replies to nothing");
}

#[test]
fn a_reaction_is_one_key_and_a_choice() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("2 +");
    let sent = acts(&inbox.press("j enter"));
    assert!(matches!(&sent[..], [Act::React { emoji, .. }] if emoji == "❤️"), "{sent:?}");
}

fn passed(kind: &str, by: Option<u64>, detail: &str) -> protocol::Event {
    protocol::Event {
        kind: kind.into(),
        at: NOW,
        conversation: Some(conversation(MARINA)),
        message: None,
        agent: by.map(agent),
        detail: Some(detail.into()),
    }
}

fn marina_as(control: Control) -> Row {
    Row { version: 9, epoch: Epoch(2), control, ..marina().row }
}

/// Marina's conversation passes to `control`, and these events say how.
fn passes(inbox: &mut Inbox, control: Control, events: Vec<protocol::Event>) -> Vec<String> {
    let now = inbox.state.now;
    let frame = protocol::Events { events, rows: vec![marina_as(control)], ..no_events(now) };
    let effects = inbox.server(ServerFrame::Events(frame));
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(text) => Some(text.to_string()),
        _ => None,
    });
    told.collect()
}

const fn held_by(agent: baton_shared::AgentId) -> Control {
    Control::Agent { agent, since: NOW }
}

#[test]
fn whose_conversation_was_taken_is_told_by_whom() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.brings(vec![marina_as(held_by(agent(LEO)))]);
    assert!(inbox.toast().starts_with("Leo Duarte has Marina Souza now"), "{}", inbox.toast());
}

/// Marina sends a bill, which has come so far.
fn bill(inbox: &mut Inbox, version: i64, state: MediaState, name: &str) {
    let problem = (state == MediaState::Gone).then(|| "WhatsApp does not have it any more.".to_owned());
    let media = Media { file_name: Some(name.into()), state: Some(state), problem, ..Media::default() };
    let detail = Detail { content: Some(Content::Media(media)), ..Detail::default() };
    let body = Body { kind: "document".into(), text: String::new(), detail: Some(Box::new(detail)) };
    inbox.says(vec![Message { body, version, ..said(190, Author::Customer, 1, "") }]);
}

fn asked(effects: &[Effect]) -> Option<&FileAsk> {
    effects.iter().find_map(|effect| if let Effect::File(ask) = effect { Some(ask) } else { None })
}

#[test]
fn a_file_is_opened_only_when_it_is_here_and_somebody_asks() {
    let mut inbox = Inbox::with_marina(WIDE);
    assert_eq!(asked(&inbox.press("2 O")), None);
    assert!(inbox.toast().contains("no file"), "{}", inbox.toast());
    bill(&mut inbox, 1, MediaState::Waiting, "bill.pdf");
    assert_eq!(asked(&inbox.press("G O")), None);
    assert!(inbox.toast().contains("not here yet"), "{}", inbox.toast());
    bill(&mut inbox, 2, MediaState::Gone, "bill.pdf");
    assert_eq!(asked(&inbox.press("O")), None);
    assert!(inbox.toast().contains("any more"), "{}", inbox.toast());
    bill(&mut inbox, 3, MediaState::Stored, "bill.pdf");
    assert_eq!(asked(&inbox.press("O")), Some(&FileAsk::Open { message: message(190) }));
}

/// Marina sends a picture, of which the server has a small one or not.
fn photo(inbox: &mut Inbox, version: i64, thumbnail: bool) {
    let media = Media {
        mime_type: Some("image/png".into()),
        state: Some(MediaState::Stored),
        size: Some(7),
        thumbnail,
        ..Media::default()
    };
    let detail = Detail { content: Some(Content::Media(media)), ..Detail::default() };
    let body = Body { kind: "image".into(), text: String::new(), detail: Some(Box::new(detail)) };
    inbox.says(vec![Message { body, version, ..said(191, Author::Customer, 1, "") }]);
}

#[test]
fn without_a_cursor_the_last_file_is_meant() {
    let mut inbox = Inbox::with_marina(WIDE);
    bill(&mut inbox, 1, MediaState::Stored, "bill.pdf");
    let now = inbox.state.now;
    let later = said(191, Author::Customer, 0, "did you get it?");
    inbox.server(ServerFrame::Events(protocol::Events { messages: vec![later], ..no_events(now) }));
    assert_eq!(asked(&inbox.press("O")), Some(&FileAsk::Open { message: message(190) }));
    // Whoever has chosen a message means that one.
    inbox.press("2 g g");
    assert_eq!(asked(&inbox.press("O")), None);
    assert!(inbox.toast().contains("no file is chosen"), "{}", inbox.toast());
}

#[test]
fn a_picture_is_looked_at_only_when_there_is_one_and_somebody_asks() {
    let mut inbox = Inbox::with_marina(WIDE);
    photo(&mut inbox, 1, false);
    assert_eq!(asked(&inbox.press("2 G p")), None);
    assert!(inbox.toast().contains("no preview"), "{}", inbox.toast());
    photo(&mut inbox, 2, true);
    assert_eq!(asked(&inbox.press("p")), Some(&FileAsk::Preview { message: message(191) }));
    let shown = |inbox: &Inbox| match inbox.state.overlays.last() {
        Some(Overlay::Preview(preview)) => Some(preview.shown.clone()),
        _ => None,
    };
    assert!(matches!(shown(&inbox), Some(Shown::Loading)));
    let answers = |inbox: &mut Inbox, n, picture| {
        inbox.happens(Cause::File(FileNews::Previewed { message: message(n), picture }));
    };
    // Of one that was looked at before.
    answers(&mut inbox, 190, Err("the server could not be reached".into()));
    assert!(matches!(shown(&inbox), Some(Shown::Loading)));
    answers(&mut inbox, 191, Err("the server could not be reached".into()));
    let Some(Shown::Not(why)) = shown(&inbox) else { panic!("{:?}", shown(&inbox)) };
    assert_eq!(why.as_str(), "It cannot be shown: the server could not be reached.");
    inbox.press("esc p");
    let picture = Picture::read(&crate::picture::tests::png(16, 12, false)).map(Arc::new).unwrap();
    answers(&mut inbox, 191, Ok(picture.clone()));
    assert!(matches!(shown(&inbox), Some(Shown::Here(here)) if here == picture));
    inbox.press("esc");
    answers(&mut inbox, 191, Ok(picture));
    assert!(inbox.state.overlays.is_empty(), "what comes too late opens nothing");
}

#[test]
fn where_nothing_can_be_opened_the_address_is_shown_and_copied() {
    let mut inbox = Inbox::with_marina(WIDE);
    let effects = inbox.happens(Cause::File(FileNews::Link("https://shop.example/api/v1/media/1?until=2".into())));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Copy(url) if url.as_str().ends_with("until=2"))));
    assert!(matches!(inbox.state.overlays.last(), Some(Overlay::Link(_))));
    inbox.press("esc");
    assert!(inbox.state.overlays.is_empty());
}

#[test]
fn a_file_is_saved_under_a_name_without_folders_and_overwrites_only_what_was_confirmed() {
    let mut inbox = Inbox::with_marina(WIDE);
    bill(&mut inbox, 1, MediaState::Stored, "../../.ssh/authorized_keys");
    let path = std::path::PathBuf::from("/home/ana/Downloads/authorized_keys");
    let ask = |replace| FileAsk::Save { message: message(190), path: path.clone(), replace };
    assert_eq!(asked(&inbox.press("2 G s enter")), Some(&ask(false)));
    inbox.happens(Cause::File(FileNews::Exists { message: message(190), path: path.clone() }));
    assert_eq!(asked(&inbox.press("esc")), None);
    inbox.happens(Cause::File(FileNews::Exists { message: message(190), path: path.clone() }));
    assert_eq!(asked(&inbox.press("enter")), Some(&ask(true)));
    // Another name is another question.
    inbox.happens(Cause::File(FileNews::Exists { message: message(190), path: path.clone() }));
    inbox.types("2");
    let other =
        FileAsk::Save { message: message(190), path: "/home/ana/Downloads/authorized_keys2".into(), replace: false };
    assert_eq!(asked(&inbox.press("enter")), Some(&other));
    inbox.press("s ctrl+u");
    inbox.types("~/bill");
    let home = FileAsk::Save { message: message(190), path: "/home/ana/bill".into(), replace: false };
    assert_eq!(asked(&inbox.press("enter")), Some(&home));
}

#[test]
fn whose_conversation_is_put_back_by_somebody_else_is_told_by_whom() {
    let waiting = Control::Waiting { since: ago(480) };
    for (control, kind, by, sentence) in [
        (waiting, "released", Some(RITA), "Rita Moss put Marina Souza back into the queue; your text is kept"),
        (waiting, "released", None, "Marina Souza is back in the queue; your text is kept"),
        (Control::Bot, "handed_back", Some(RITA), "Rita Moss handed Marina Souza back to the bot; your text is kept"),
        (Control::Resolved { at: NOW }, "resolved", Some(RITA), "Rita Moss resolved Marina Souza; your text is kept"),
    ] {
        let mut inbox = Inbox::with_marina(WIDE);
        inbox.press("i");
        inbox.types("half a sentence");
        inbox.happens(Cause::Focus(false));
        let told = passes(&mut inbox, control, vec![passed(kind, by, "")]);
        assert_eq!(inbox.toast(), sentence);
        assert!(told.iter().any(|told| told.contains("1 conversation of yours changed hands")), "{told:?}");
        assert_eq!(inbox.written(), "half a sentence");
    }
}

#[test]
fn whoever_is_given_a_conversation_is_told_by_whom_and_why() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.brings(vec![Row { version: 2, ..marina_as(held_by(agent(LEO))) }]);
    inbox.happens(Cause::Focus(false));
    let given = vec![passed("assigned", Some(ANA), "assignment"), passed("assigned_by", Some(RITA), "assignment")];
    let told = passes(&mut inbox, held_by(agent(ANA)), given.clone());
    assert_eq!(inbox.toast(), "Rita Moss gave you Marina Souza; a note says why");
    assert_eq!(told, ["1 conversation given to you"]);

    let mut inbox = Inbox::with_marina(WIDE);
    inbox.brings(vec![Row { version: 2, ..marina_as(held_by(agent(LEO))) }]);
    let note = Message { agent: Some(agent(RITA)), ..said(300, Author::Note, 0, "Leo is ill") };
    let now = inbox.state.now;
    let rows = vec![marina_as(held_by(agent(ANA)))];
    let frame = protocol::Events { events: given, rows, messages: vec![note], ..no_events(now) };
    inbox.server(ServerFrame::Events(frame));
    assert_eq!(inbox.toast(), "Rita Moss gave you Marina Souza: Leo is ill");
}

#[test]
fn nobody_is_told_of_what_they_did_themselves() {
    let given = || vec![passed("assigned", Some(LEO), "transfer"), passed("assigned_by", Some(ANA), "transfer")];
    // The row may be here before the answer, or after it.
    let mut inbox = Inbox::with_marina(WIDE);
    let command = commands(&inbox.press("A enter")).remove(0);
    passes(&mut inbox, held_by(agent(LEO)), vec![]);
    assert_eq!(inbox.toast(), "");
    inbox.answers(command, done(2));
    assert_eq!(inbox.toast(), "given away");

    let mut inbox = Inbox::with_marina(WIDE);
    let command = commands(&inbox.press("A enter")).remove(0);
    inbox.answers(command, done(2));
    passes(&mut inbox, held_by(agent(LEO)), vec![]);
    assert_eq!(inbox.toast(), "given away");

    // On another screen of mine.
    let mut inbox = Inbox::with_marina(WIDE);
    passes(&mut inbox, held_by(agent(LEO)), given());
    assert_eq!(inbox.toast(), "");
}

#[test]
fn a_row_read_before_my_take_does_not_take_it_from_me() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    let command = commands(&inbox.press("t")).remove(0);
    let before = inbox.state.queue.get(conversation(LUCIA)).expect("it is listed").clone();
    inbox.answers(command, done(before.epoch.0 + 1));
    let row = Row { version: before.version + 1, unread: 0, ..row(LUCIA, "Lucía", before.control) };
    inbox.brings(vec![row]);
    assert_eq!(inbox.toast(), "yours; the bot is silent");
    assert_eq!(inbox.state.queue.get(conversation(LUCIA)).expect("it is listed").control.owner(), Some(agent(ANA)));
}

#[test]
fn what_was_done_is_said_until_one_goes_on() {
    let mut inbox = Inbox::seeded(WIDE);
    inbox.opens(LUCIA);
    let command = commands(&inbox.press("t")).remove(0);
    inbox.answers(command, done(2));
    assert_eq!(inbox.toast(), "yours; the bot is silent");
    inbox.press("n");
    assert_eq!(inbox.toast(), "");
    inbox.press("esc u");
    assert!(inbox.toast().starts_with("most urgent"));
    inbox.press("-");
    assert_eq!(inbox.toast(), "", "it was about the other one");
}

#[test]
fn what_was_done_is_not_said_any_more_once_it_is_undone() {
    let mut inbox = Inbox::with_marina(WIDE);
    let command = commands(&inbox.press("b enter")).remove(0);
    inbox.answers(command, done(2));
    inbox.brings(vec![marina_as(Control::Bot)]);
    assert_eq!(inbox.toast(), "the bot has it again");
    inbox.brings(vec![Row { version: 10, ..marina_as(Control::Waiting { since: NOW }) }]);
    assert_eq!(inbox.toast(), "");
}

#[test]
fn a_note_that_was_kept_is_confirmed() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("n");
    inbox.types("called her");
    let command = commands(&inbox.press("enter")).remove(0);
    inbox.answers(command, done(1));
    assert_eq!(inbox.toast(), "note kept, for colleagues only");
}

#[test]
fn refusals_are_whole_sentences() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.types("hi");
    let command = commands(&inbox.press("enter")).remove(0);
    let why = "All sending from this number is switched off.".into();
    inbox.answers(command, Answer::Refused { code: Refusal::SendingOff, why, owner: None });
    assert_eq!(inbox.toast(), "not sent: All sending from this number is switched off; your text is kept");
    inbox.net(NetEvent::Stopped(Stop::SignedOut("Your sign-in has ended.".into())));
    assert_eq!(inbox.toast(), "signed out: Your sign-in has ended; sign in again with `baton login`");
}

#[test]
fn what_i_kept_from_going_out_comes_back_to_me() {
    let mut inbox = Inbox::with_marina(WIDE);
    let held = Message { delivery: Some(Delivery::Held), ..said(300, Author::Agent, 1, "in 5 days") };
    inbox.says(vec![held]);
    let command = commands(&inbox.press("C")).remove(0);
    assert_eq!(command.act, Act::Cancel { message: message(300) });
    inbox.answers(command, done(1));
    assert_eq!(inbox.written(), "in 5 days");
    assert_eq!(inbox.toast(), "it will not be sent; its text is in the composer");
}

#[test]
fn what_was_sent_again_is_not_offered_again() {
    let mut inbox = Inbox::with_marina(WIDE);
    let unknown = Message { delivery: Some(Delivery::Unknown), ..said(300, Author::Agent, 1, "x") };
    inbox.says(vec![unknown.clone()]);
    inbox.press("S");
    assert!(matches!(inbox.state.overlays.pop(), Some(Overlay::Resend { .. })));
    inbox.says(vec![Message { version: 2, sent_again: true, ..unknown }]);
    inbox.press("S");
    assert_eq!(inbox.toast(), "send again: nothing failed here");
}

#[test]
fn pasted_lines_are_counted_without_their_last_end() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    let now = inbox.state.now.plus(Duration::from_secs(1));
    for letter in "ab\rcd\r".chars() {
        let code = if letter == '\r' { KeyCode::Enter } else { KeyCode::Char(letter) };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        update(&mut inbox.state, Event { now, cause: Cause::Key(key) });
    }
    assert!(inbox.toast().starts_with("not sent: it came in all at once"), "{}", inbox.toast());
    inbox.waits(Duration::from_secs(2));
    inbox.press("enter");
    assert!(inbox.toast().starts_with("pasted 2 lines"), "{}", inbox.toast());
}

/// Leo's customer has waited for too long, and Leo is gone.
fn left_by_leo(unanswered: Option<u64>, is_gone: bool) -> Row {
    Row {
        version: 5,
        unanswered_since: unanswered.map(ago),
        returns_at: is_gone.then(|| NOW.plus(Duration::from_secs(54))),
        ..row(KENJI, "Kenji Ota", held_by(agent(LEO)))
    }
}

#[test]
fn a_supervisor_sees_whose_owner_does_not_answer_or_is_gone() {
    for (row, why) in [(left_by_leo(Some(840), false), "waits for 14:00"), (left_by_leo(None, true), "is not here")] {
        let mut inbox = Inbox::empty(WIDE);
        inbox.net(NetEvent::Welcome { me: person(RITA), now: NOW });
        inbox.server(ServerFrame::Snapshot { as_of: Cursor("0".into()), rows: vec![row], people: people() });
        assert_eq!(sections(&inbox), [(Section::Now, 1)]);
        inbox.press("u");
        assert_eq!(inbox.state.open, Some(conversation(KENJI)));
        assert!(inbox.toast().contains(why), "{}", inbox.toast());
    }
    let mut inbox = Inbox::seeded(WIDE);
    inbox.net(NetEvent::Welcome { me: person(RITA), now: NOW });
    assert!(!inbox.state.queue.is_folded(Section::Team), "the team is what supervisors look after");
}

#[test]
fn an_agent_finds_them_first_among_the_team() {
    let mut inbox = Inbox::seeded(WIDE);
    let other = Row { updated_at: NOW, ..row(40, "Just Now", held_by(agent(LEO))) };
    inbox.brings(vec![left_by_leo(Some(840), false), other]);
    inbox.state.queue.fold(Section::Team, false);
    inbox.waits(Duration::from_secs(3));
    let names = names(&inbox);
    let at = names.iter().position(|name| name == "Team").unwrap();
    assert_eq!(names[at + 1..at + 3], ["Kenji Ota", "Just Now"]);
}

#[test]
fn the_cursor_stays_with_the_conversation_that_was_handed_back() {
    let mut inbox = Inbox::with_marina(WIDE);
    let command = commands(&inbox.press("b enter")).remove(0);
    inbox.answers(command, done(2));
    inbox.brings(vec![Row { version: 9, epoch: Epoch(2), ..row(MARINA, "Marina Souza", Control::Bot) }]);
    inbox.waits(Duration::from_secs(3));
    assert!(inbox.state.queue.is_folded(Section::Bot));
    assert_eq!((selected(&inbox).as_str(), inbox.state.open), ("Marina Souza", Some(conversation(MARINA))));
    inbox.press("1 t");
    assert_eq!(inbox.state.commands.of(conversation(MARINA)).count(), 1, "one and the same for every key");
}

#[test]
fn a_long_text_says_how_many_messages_it_is_before_it_goes() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("i");
    inbox.happens(Cause::Paste("palavra ".repeat(600)));
    assert!(acts(&inbox.press("enter")).iter().all(|act| matches!(act, Act::Read { .. })));
    assert!(inbox.toast().contains("again sends it as 2"), "{}", inbox.toast());
    // Another length is another question.
    inbox.happens(Cause::Paste("palavra ".repeat(600)));
    inbox.press("enter");
    assert!(inbox.toast().contains("again sends it as 3"), "{}", inbox.toast());
    let given = acts(&inbox.press("enter"));
    assert!(matches!(&given[..], [Act::SendParts { parts: 3, text, .. }] if text.len() > 9_000), "{given:?}");
    assert_eq!(inbox.written(), "");
}

#[test]
fn a_reply_can_wait_until_they_write() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("L");
    assert!(inbox.toast().contains("the window is open: just reply"), "{}", inbox.toast());
    let closed = Row { window: baton_shared::Window::default(), version: 99, ..marina().row };
    inbox.brings(vec![closed]);
    inbox.press("i");
    assert_eq!(inbox.state.mode, Mode::Normal, "only a template goes now");
    inbox.press("L");
    inbox.types("Chegou!");
    let given = acts(&inbox.press("enter"));
    assert!(matches!(&given[..], [Act::SendWhenTheyWrite { text, .. }] if text == "Chegou!"), "{given:?}");
}

#[test]
fn whoever_asked_whatsapp_in_vain_is_told_wherever_they_look() {
    let mut inbox = Inbox::with_marina(WIDE);
    let refused = |n: u64| protocol::Event {
        kind: "errand_refused".into(),
        at: NOW,
        conversation: Some(conversation(MARINA)),
        message: None,
        agent: Some(agent(n)),
        detail: Some("take 2494191".into()),
    };
    let tells = |inbox: &mut Inbox, event| {
        inbox.tells(vec![event]);
        inbox.state.toasts.current().map(|toast| toast.text.to_string())
    };
    assert_eq!(tells(&mut inbox, refused(LEO)), None, "it is a line in the thread");
    let told = tells(&mut inbox, refused(ANA)).unwrap();
    assert_eq!(told, "WhatsApp did not give us the thread: the other app keeps it (code 2494191)");
    inbox.opens(LUCIA);
    let told = tells(&mut inbox, refused(ANA)).unwrap();
    assert!(told.starts_with("Marina Souza: WhatsApp did not"), "{told}");
}
