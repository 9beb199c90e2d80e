use std::path::PathBuf;

use baton_shared::{
    MessageId, UploadId,
    file::{Facts, FileKind},
    protocol::{Act, Answer, Refusal, ServerFrame, Uploaded},
    template::{Header, Template},
};

use crate::{
    event::{Cause, Effect, Effects, FileAsk, FileNews, Looked},
    fixture::*,
    local::Slot,
    state::{State, overlay::Overlay},
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn asks(effects: &Effects) -> Vec<FileAsk> {
    let ask = |effect: &Effect| if let Effect::File(ask) = effect { Some(ask.clone()) } else { None };
    effects.iter().filter_map(ask).collect()
}

fn looked(typed: &str, head: &[u8], size: u64) -> Looked {
    let name = typed.rsplit('/').next().unwrap_or_default().to_owned();
    let facts = Facts::of(head, &name, size);
    Looked { typed: typed.into(), path: PathBuf::from(typed), name, facts }
}

fn sheet(state: &State) -> &crate::state::overlay::FileSheet {
    match state.overlays.last() {
        Some(Overlay::File(sheet)) => sheet,
        other => panic!("{other:?}"),
    }
}

/// The path is typed and looked at.
fn chosen(typed: &str, head: &[u8], size: u64) -> Inbox {
    let mut inbox = Inbox::with_marina((120, 36));
    inbox.press("f");
    inbox.types(typed);
    let effects = inbox.press("enter");
    assert_eq!(asks(&effects), [FileAsk::Look { conversation: conversation(MARINA), typed: typed.into() }]);
    let found = Ok(looked(typed, head, size));
    inbox.happens(Cause::File(FileNews::Looked { conversation: conversation(MARINA), found }));
    inbox
}

fn brings(inbox: &mut Inbox) -> (UploadId, FileKind) {
    let effects = inbox.press("enter");
    match asks(&effects).as_slice() {
        [FileAsk::Bring { id, kind, .. }] => (*id, *kind),
        other => panic!("{other:?}"),
    }
}

fn arrives(inbox: &mut Inbox, id: UploadId) -> Effects {
    let uploaded = Uploaded { file: id, kind: FileKind::Image, mime_type: "image/png".into(), size: 2_000_000 };
    inbox.happens(Cause::File(FileNews::Brought(uploaded)))
}

fn text(inbox: &Inbox, slot: Slot) -> String {
    let composer = inbox.state.composers.get(&conversation(MARINA));
    composer.and_then(|composer| composer.editor(slot)).map(|editor| editor.text().to_owned()).unwrap_or_default()
}

fn on_screen(inbox: &Inbox) -> String {
    inbox.state.bringing.iter().map(|one| one.said(None).text.to_string()).collect()
}

#[test]
fn a_file_is_looked_at_brought_and_then_sent() {
    let mut inbox = chosen("/tmp/lamp.png", PNG, 2_000_000);
    inbox.types("like this?");
    let (id, kind) = brings(&mut inbox);
    assert_eq!((kind, inbox.state.overlays.len()), (FileKind::Image, 0));
    inbox.happens(Cause::File(FileNews::Moved { id, sent: 1_000_000, waits: false }));
    assert!(on_screen(&inbox).contains("[##########----------] 50 % of"), "{}", on_screen(&inbox));
    assert_eq!(text(&inbox, Slot::Caption), "like this?", "kept until the command is");
    let given = commands(&arrives(&mut inbox, id));
    let Act::SendFile { file, caption, seen: Some(_), reply_to: None, .. } = &given[0].act else { panic!("{given:?}") };
    assert_eq!((*file, caption.as_str()), (id, "like this?"));
    assert_eq!((text(&inbox, Slot::File), text(&inbox, Slot::Caption)), (String::new(), String::new()));
    inbox.answers(given[0].clone(), done(4));
    assert!(inbox.state.bringing.is_empty());
}

#[test]
fn what_whatsapp_would_not_take_stays_on_the_sheet_with_the_reason() {
    let mut inbox = chosen("/tmp/lamp.png", PNG, 6_000_000);
    assert_eq!(sheet(&inbox.state).kind(), FileKind::Document, "too large for an image");
    let mut inbox_ = chosen("/tmp/huge.iso", b"CD001", 200 << 20);
    let trouble = sheet(&inbox_.state).trouble.clone().expect("a reason");
    assert!(trouble.as_str().contains("at most 100 MB"), "{trouble}");
    assert!(asks(&inbox_.press("enter")).is_empty());
    assert_eq!(text(&inbox_, Slot::File), "/tmp/huge.iso");
    inbox.types(&"x".repeat(1_025));
    assert!(asks(&inbox.press("enter")).is_empty());
    assert!(
        sheet(&inbox.state).trouble.as_ref().expect("a reason").as_str().contains("the caption has 1025 characters")
    );
    let why = Err("/tmp/x: there is no such file".to_owned());
    inbox.happens(Cause::File(FileNews::Looked { conversation: conversation(MARINA), found: why }));
    assert!(sheet(&inbox.state).trouble.as_ref().expect("a reason").as_str().contains("no such file"));
}

#[test]
fn a_path_is_completed_and_another_one_is_looked_at_anew() {
    let mut inbox = Inbox::with_marina((120, 36));
    inbox.press("f");
    inbox.types("~/la");
    let effects = inbox.press("tab");
    let conversation = conversation(MARINA);
    assert_eq!(asks(&effects), [FileAsk::Complete { conversation, typed: "~/la".into() }]);
    let news = |typed: &str| FileNews::Completed {
        conversation,
        typed: typed.into(),
        text: "~/lamp".into(),
        choices: vec!["lamp.png".into(), "lamp.pdf".into()],
    };
    inbox.happens(Cause::File(news("~/l")));
    assert_eq!(text(&inbox, Slot::File), "~/la", "an answer to something else");
    inbox.happens(Cause::File(news("~/la")));
    assert_eq!((text(&inbox, Slot::File).as_str(), sheet(&inbox.state).choices.len()), ("~/lamp", 2));
}

#[test]
fn promise_9_a_lost_line_keeps_what_was_typed_and_brings_the_file_once() {
    let mut inbox = chosen("/tmp/lamp.png", PNG, 2_000_000);
    inbox.types("like this?");
    let (id, _) = brings(&mut inbox);
    inbox.happens(Cause::File(FileNews::Moved { id, sent: 0, waits: true }));
    assert!(on_screen(&inbox).contains("waits for the server"));
    let why = "the server could not be reached".to_owned();
    inbox.happens(Cause::File(FileNews::NotBrought { id, why }));
    assert!(inbox.toast().contains("f brings back what you typed"), "{}", inbox.toast());
    assert_eq!(
        (text(&inbox, Slot::File).as_str(), text(&inbox, Slot::Caption).as_str()),
        ("/tmp/lamp.png", "like this?")
    );
    // The customer writes while it is sent: the same file goes, without a second journey.
    inbox.press("f enter");
    let found = Ok(looked("/tmp/lamp.png", PNG, 2_000_000));
    inbox.happens(Cause::File(FileNews::Looked { conversation: conversation(MARINA), found }));
    let (id, _) = brings(&mut inbox);
    let given = commands(&arrives(&mut inbox, id));
    let newest: MessageId = message(999);
    inbox.answers(given[0].clone(), Answer::WroteMeanwhile { newest });
    assert_eq!(text(&inbox, Slot::Caption), "like this?");
    inbox.press("f enter");
    let found = Ok(looked("/tmp/lamp.png", PNG, 2_000_000));
    inbox.happens(Cause::File(FileNews::Looked { conversation: conversation(MARINA), found }));
    let effects = inbox.press("enter");
    assert!(asks(&effects).is_empty(), "it is there already");
    let again = commands(&effects);
    assert!(
        matches!(&again[0].act, Act::SendFile { file, seen: Some(seen), .. } if (*file, *seen) == (id, newest)),
        "{again:?}"
    );
    assert_ne!(again[0].id, given[0].id);
    let why = "The 24-hour window is closed.".into();
    inbox.answers(again[0].clone(), Answer::Refused { code: Refusal::WindowClosed, why, owner: None });
    assert_eq!(text(&inbox, Slot::File), "/tmp/lamp.png");
}

#[test]
fn one_on_its_way_can_be_stopped() {
    let mut inbox = chosen("/tmp/lamp.png", PNG, 2_000_000);
    let (id, _) = brings(&mut inbox);
    inbox.press("q");
    assert!(matches!(inbox.state.overlays.last(), Some(Overlay::Quit)), "it asks first");
    inbox.press("n f");
    let effects = inbox.press("x");
    assert_eq!(asks(&effects), [FileAsk::Stop { id }]);
    assert!(inbox.state.bringing.is_empty() && !on_screen(&inbox).contains("lamp.png"));
    assert!(commands(&arrives(&mut inbox, id)).is_empty(), "it was stopped");
    assert_eq!(text(&inbox, Slot::File), "/tmp/lamp.png");
}

#[test]
fn a_templates_header_may_lie_on_this_disk() {
    let mut inbox = Inbox::with_marina((120, 36));
    inbox.press("T");
    let template = Template {
        name: "pictured".into(),
        language: "pt_BR".into(),
        category: "UTILITY".into(),
        status: "APPROVED".into(),
        quality: None,
        header: Some(Header::Media { kind: "image".into() }),
        body: "Chegou!".into(),
        footer: None,
        buttons: vec![],
    };
    inbox.server(ServerFrame::Templates { conversation: conversation(MARINA), templates: vec![template] });
    inbox.press("enter");
    inbox.types("~/lamp.png");
    let effects = inbox.press("enter");
    let [FileAsk::Bring { id, path, kind: FileKind::Image, .. }] = &asks(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(path, &PathBuf::from("/home/ana/lamp.png"));
    let given = commands(&arrives(&mut inbox, *id));
    let Act::SendTemplate { template, .. } = &given[0].act else { panic!("{given:?}") };
    assert_eq!(template.values, [format!("file:{id}")]);
    assert!(inbox.state.bringing.is_empty());
}
