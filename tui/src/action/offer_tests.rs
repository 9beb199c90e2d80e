use baton_shared::{
    offer::{Offer, Words},
    protocol::{Act, Answer, Command},
};

use crate::{
    event::Effects,
    fixture::*,
    local::Slot,
    state::{State, overlay::Overlay},
};

const WIDE: (u16, u16) = (120, 36);

fn sheet(state: &State) -> &crate::state::overlay::OfferSheet {
    match state.overlays.last() {
        Some(Overlay::Offer(sheet)) => sheet,
        other => panic!("{other:?}"),
    }
}

fn kept(inbox: &Inbox) -> String {
    let composer = inbox.state.composers.get(&conversation(MARINA));
    composer
        .and_then(|composer| composer.editor(Slot::Offer))
        .map(|editor| editor.text().to_owned())
        .unwrap_or_default()
}

fn offered(effects: &Effects) -> Vec<Command> {
    commands(effects).into_iter().filter(|command| matches!(command.act, Act::SendOffer { .. })).collect()
}

/// Three answers, written and not sent.
fn written() -> Inbox {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("c 1");
    for text in ["Which one?", "Floor", "Desk"] {
        inbox.types(text);
        inbox.press("tab");
    }
    inbox
}

fn offer() -> Offer {
    let words = Words { body: "Which one?".into(), ..Words::default() };
    Offer::Buttons { words, buttons: vec!["Floor".into(), "Desk".into()] }
}

#[test]
fn an_offer_is_filled_in_and_sent() {
    let mut inbox = written();
    let given = offered(&inbox.press("enter"));
    let Act::SendOffer { offer: sent, seen: Some(_), .. } = &given[0].act else { panic!("{given:?}") };
    assert_eq!(*sent, offer());
    assert_eq!((kept(&inbox).as_str(), inbox.state.overlays.len()), ("", 0));
}

#[test]
fn what_does_not_fit_is_named_and_stays() {
    let mut inbox = written();
    inbox.types("an answer that is far too long");
    assert!(offered(&inbox.press("enter")).is_empty());
    let trouble = sheet(&inbox.state).trouble.clone().expect("a reason");
    assert_eq!(trouble.as_str(), "button 3: it has 30 characters, at most 20 are possible");
    inbox.press("backspace");
    assert!(sheet(&inbox.state).trouble.is_none());
}

#[test]
fn promise_9_lines_that_were_not_sent_come_back() {
    let mut inbox = written();
    inbox.press("esc c");
    assert_eq!(sheet(&inbox.state).form.as_ref().expect("it was kept").offer(), offer());
    let given = offered(&inbox.press("enter"));
    inbox.answers(given[0].clone(), Answer::WroteMeanwhile { newest: message(999) });
    assert!(inbox.toast().contains("c and Enter"), "{}", inbox.toast());
    inbox.press("c");
    let again = offered(&inbox.press("enter"));
    let Act::SendOffer { offer: sent, seen, .. } = &again[0].act else { panic!("{again:?}") };
    assert_eq!((sent, *seen), (&offer(), Some(message(999))));
}

#[test]
fn an_empty_form_leads_back_to_the_kinds() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("c j enter");
    assert_eq!(sheet(&inbox.state).form.as_ref().map(|form| form.kind), Some(crate::state::form::Kind::List));
    inbox.press("backspace");
    assert!(sheet(&inbox.state).form.is_none());
    inbox.press("esc");
    assert_eq!(kept(&inbox), "");
}

#[test]
fn several_cards_go_in_one_message() {
    let mut inbox = Inbox::with_marina(WIDE);
    inbox.press("c 7");
    for text in ["Ana", "+49 30 12345", "", ""] {
        inbox.types(text);
        inbox.press("tab");
    }
    inbox.types("Leo | +49 30 54321 | leo@shop.example | The shop");
    inbox.press("alt+enter");
    inbox.types("Rita | 12");
    inbox.press("enter");
    assert_eq!(
        sheet(&inbox.state).trouble.as_ref().unwrap().as_str(),
        "phone of card 3: it is digits, with the country's code"
    );
    inbox.types("34567");
    let given = offered(&inbox.press("enter"));
    let Act::SendOffer { offer: Offer::Cards { cards }, .. } = &given[0].act else { panic!("{given:?}") };
    let names: Vec<_> = cards.iter().map(|card| (card.name.as_deref().unwrap(), card.phones[0].as_str())).collect();
    assert_eq!(names, [("Ana", "+49 30 12345"), ("Leo", "+49 30 54321"), ("Rita", "1234567")]);
    assert_eq!((cards[1].emails[0].as_str(), cards[1].organisation.as_deref()), ("leo@shop.example", Some("The shop")));
}
