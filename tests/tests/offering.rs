//! Choices, links, questions, places and cards: from an agent to the simulated WhatsApp, and what the
//! customer chose back to the agent, on both engines.

use baton::net::{self, Client};
use baton_shared::{
    Epoch, MessageId,
    content::{Choice, ContactCard, Content, Detail},
    offer::{Offer, Row, Section, Words},
    protocol::{Act, Answer, Refusal},
};
use baton_tests::{
    app::{App, eventually},
    on_both,
    post::Talk,
};

/// An agent with a customer of theirs.
struct Bench<'a> {
    app: &'a App,
    client: Client,
    talk: Talk,
    epoch: Epoch,
}

impl<'a> Bench<'a> {
    async fn new(app: &'a App) -> Self {
        let secret = app.add_agent("Ana").await;
        let address = app.url("").parse().expect("an address");
        let signed = net::sign_in(&address, &secret).await.expect("a sign-in");
        let talk = app.taken("Marina", signed.me.id).await;
        let epoch = app.acts().thread(talk.conversation).await.epoch;
        Self { app, client: app.line(signed.token), talk, epoch }
    }

    async fn answer(&mut self, offer: Offer) -> Answer {
        let (epoch, seen) = (self.epoch, self.app.acts().thread(self.talk.conversation).await.newest);
        let act = Act::SendOffer { epoch, offer, seen, reply_to: None };
        self.client.act(self.talk.conversation, act).await.expect("a line")
    }

    async fn sends(&mut self, offer: Offer) -> MessageId {
        match self.answer(offer).await {
            Answer::Done { message: Some(message), .. } => message,
            other => panic!("{other:?}"),
        }
    }

    async fn content(&self, message: MessageId) -> Content {
        let stored = self.app.acts().message(message).await;
        let detail: Detail = serde_json::from_str(stored.detail.as_deref().expect("a detail")).expect("a detail");
        detail.content.expect("a content")
    }

    /// The customer presses it; what the agent then sees.
    async fn chooses(&self, message: MessageId, title: &str) -> Content {
        let acts = self.app.acts();
        eventually("it is accepted", async || acts.message(message).await.wamid.is_some()).await;
        let wamid = acts.message(message).await.wamid.expect("accepted");
        let chosen = self.app.simulator.with(|world, now| world.whatsapp.choose(now, self.talk.person, &wamid, title));
        let chosen = chosen.expect("it was offered");
        eventually("it is here", async || acts.conversation_of(&chosen).await.is_some()).await;
        self.content(acts.message_of(&chosen).await).await
    }
}

fn words(body: &str) -> Words {
    Words { above: "Lamps".into(), body: body.into(), below: "Lumen".into() }
}

fn buttons(titles: &[&str]) -> Offer {
    Offer::Buttons { words: words("Which one?"), buttons: titles.iter().map(|title| (*title).into()).collect() }
}

fn list(rows: usize) -> Offer {
    let rows = (1..=rows).map(|row| Row { title: format!("Lamp {row}"), description: "150 cm".into() }).collect();
    let sections = vec![Section { title: "All".into(), rows }];
    Offer::List { words: words("One of ten?"), label: "See them".into(), sections }
}

on_both!(
    a_customer_presses_what_was_offered_and_the_agent_sees_it,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let sent = bench.sends(buttons(&["Floor", "Desk", "Neither"])).await;
        assert_eq!(bench.content(sent).await, Content::Offer(buttons(&["Floor", "Desk", "Neither"])));
        let stored = app.acts().message(sent).await;
        assert_eq!((stored.kind.as_str(), stored.text.as_str()), ("interactive", "Which one?"));
        let Content::Choice(Choice { id, title, .. }) = bench.chooses(sent, "Desk").await else { panic!("no choice") };
        assert_eq!((id.as_deref(), title.as_deref()), (Some("2"), Some("Desk")));
        let sent = bench.sends(list(10)).await;
        let Content::Choice(choice) = bench.chooses(sent, "Lamp 7").await else { panic!("no choice") };
        let expected = (Some("1.7"), Some("Lamp 7"), Some("150 cm"));
        assert_eq!((choice.id.as_deref(), choice.title.as_deref(), choice.description.as_deref()), expected);
    }
);

on_both!(
    every_offer_is_taken_as_it_was_meant,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let card = ContactCard {
            name: Some("Ana Lima".into()),
            phones: vec!["+49 30 1234567".into()],
            ..ContactCard::default()
        };
        let text = String::from;
        let offers = [
            (
                Offer::Link { words: words("Pay here"), label: text("Open"), url: text("https://l.example/77") },
                "Pay here",
            ),
            (Offer::AskPlace { body: text("Where are you?") }, "Where are you?"),
            (Offer::AskContact { body: text("Your number?") }, "Your number?"),
            (
                Offer::Form { words: words("Fill in"), label: text("Open"), flow: text("77"), screen: text("START") },
                "Fill in",
            ),
            (
                Offer::Place { latitude: text("52.5"), longitude: text("13.4"), name: text("Shop"), address: text("") },
                "Shop",
            ),
            (Offer::Cards { cards: vec![card] }, "Ana Lima"),
        ];
        let mut said = vec![];
        for (offer, words) in offers {
            let sent = bench.sends(offer.clone()).await;
            assert_eq!(bench.content(sent).await, offer.content());
            said.push(words);
        }
        said.sort_unstable();
        // A later one may overtake an earlier one on its way.
        let reached = async || {
            let mut reached = app.reached(bench.talk.person);
            reached.sort_unstable();
            reached == said
        };
        eventually("all reach her", reached).await;
    }
);

on_both!(
    what_meta_would_refuse_is_refused_here_with_its_field,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let link = |url: &str| Offer::Link { words: words("Pay"), label: "Open".into(), url: url.into() };
        for (offer, field) in [
            (buttons(&["1", "2", "3", "4"]), "buttons: there are 4"),
            (buttons(&["Yes", "a title that is far too long"]), "button 2: it has 28 characters"),
            (buttons(&["Yes", "\u{1b} "]), "button 2: it is missing"),
            (list(11), "rows: there are 11"),
            (link("lumen.example"), "address: it must be one that begins with https://"),
            (Offer::AskPlace { body: String::new() }, "text: it is missing"),
        ] {
            let answer = bench.answer(offer).await;
            let Answer::Refused { code: Refusal::Invalid, why, .. } = answer else { panic!("{answer:?}") };
            assert!(why.contains(field), "{why}");
        }
        let asked = app.simulator.with(|world, _| {
            world.whatsapp.ledger().requests().iter().filter(|request| request.opaque.is_some()).count()
        });
        assert_eq!(asked, 0, "Meta was not asked");
    }
);

on_both!(
    promise_6_an_offer_is_fenced_like_words,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let (old, now) = (bench.epoch, app.acts().thread(bench.talk.conversation).await.newest);
        let act = |epoch, seen| Act::SendOffer { epoch, offer: buttons(&["Yes"]), seen, reply_to: None };
        let id = bench.talk.conversation;
        let blind = bench.client.act(id, act(old, None)).await.expect("a line");
        assert!(matches!(blind, Answer::WroteMeanwhile { .. }), "{blind:?}");
        bench.client.act(id, Act::Release { epoch: old }).await.expect("a line");
        let late = bench.client.act(id, act(old, now)).await.expect("a line");
        assert!(matches!(late, Answer::Refused { code: Refusal::Outdated, .. }), "{late:?}");
        let epoch = app.acts().thread(id).await.epoch;
        let not_mine = bench.client.act(id, act(epoch, now)).await.expect("a line");
        assert!(matches!(not_mine, Answer::Refused { code: Refusal::NotYours, .. }), "{not_mine:?}");
    }
);
