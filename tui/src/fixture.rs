//! A small shop's inbox on a Tuesday, for tests: always the same.

use std::{collections::BTreeMap, time::Duration};

use baton_shared::{
    AgentId, Control, ConversationId, Epoch, HandoffId, Ids, MessageId, Micros, ProposalId, Role, Window,
    message::{Author, Body, Delivery, Message, Place},
    protocol::{
        Act, Answer, Card, Command, Cursor, Event as Happened, Events, Fact, Handoff, Mark, Person, Presence, Preview,
        Proposal, Row, ServerFrame, Thread,
    },
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;

use crate::{
    action::update,
    event::{Cause, Effect, Effects, Event, Kept},
    keys::{Keymap, Sequence},
    local::{Settings, Write},
    net::{NetEvent, Request},
    state::{Given, Left, State},
    text::{Clean, Emoji},
};

/// Tue 12 Mar 2024, 14:05 UTC.
pub(crate) const NOW: Micros = Micros::from_seconds(1_710_252_300);

pub(crate) const ANA: u64 = 1;
pub(crate) const LEO: u64 = 2;
pub(crate) const RITA: u64 = 3;

pub(crate) const MARINA: u64 = 11;
pub(crate) const LONDON: u64 = 12;
pub(crate) const JOAO: u64 = 13;
pub(crate) const AISHA: u64 = 14;
pub(crate) const LUCIA: u64 = 15;
pub(crate) const TOM: u64 = 16;
pub(crate) const PRIYA: u64 = 17;
pub(crate) const DUBAI: u64 = 18;
pub(crate) const KENJI: u64 = 19;

pub(crate) fn agent(n: u64) -> AgentId {
    Ids::seeded(n).next(Micros::ZERO)
}

pub(crate) fn conversation(n: u64) -> ConversationId {
    Ids::seeded(n).next(Micros::ZERO)
}

pub(crate) fn message(n: u64) -> MessageId {
    Ids::seeded(n).next(Micros::ZERO)
}

pub(crate) fn proposal(n: u64) -> ProposalId {
    Ids::seeded(n).next(Micros::ZERO)
}

pub(crate) fn ago(seconds: u64) -> Micros {
    NOW.minus(Duration::from_secs(seconds))
}

/// An inbox under test: what happens to it, and what it wants.
pub(crate) struct Inbox {
    pub(crate) state: State,
    clock: Micros,
}

impl Inbox {
    /// Connected to nothing.
    pub(crate) fn empty(size: (u16, u16)) -> Self {
        let given = Given {
            label: Clean::from_static("PROD"),
            is_production: true,
            zone: TimeZone::UTC,
            emoji: Emoji::Safe,
            patience: Duration::from_secs(300),
            keymap: Keymap::new(&BTreeMap::new(), false).unwrap(),
            home: "/home/ana".into(),
            folder: "/home/ana/Downloads".into(),
            ids: Ids::seeded(42),
        };
        let settings = Settings { hints_seen: true, ..Settings::default() };
        let left = Left { settings, ..Left::default() };
        Self { state: State::new(given, left, size, NOW), clock: NOW }
    }

    /// Ana's inbox with a dozen customers; nothing is open.
    pub(crate) fn seeded(size: (u16, u16)) -> Self {
        let mut inbox = Self::empty(size);
        inbox.net(NetEvent::Welcome { me: person(ANA), now: NOW });
        inbox.server(ServerFrame::Snapshot { as_of: Cursor("0".into()), rows: rows(), people: people() });
        let here =
            |n, viewing: Option<u64>, typing| Presence { agent: agent(n), viewing: viewing.map(conversation), typing };
        inbox.server(ServerFrame::Presence { here: vec![here(ANA, None, false), here(LEO, Some(MARINA), false)] });
        inbox.net(NetEvent::RoundTrip(Duration::from_millis(38)));
        inbox
    }

    /// Marina's conversation is open.
    pub(crate) fn with_marina(size: (u16, u16)) -> Self {
        let mut inbox = Self::seeded(size);
        inbox.opens(MARINA);
        inbox.server(ServerFrame::Thread(Box::new(marina())));
        inbox
    }

    /// Puts the cursor on a conversation and opens it.
    pub(crate) fn opens(&mut self, n: u64) {
        let height = self.state.queue_height();
        self.state.queue.select(conversation(n), self.state.now, height);
        self.state.focus = crate::state::Pane::Queue;
        self.press("enter");
    }

    pub(crate) fn happens(&mut self, cause: Cause) -> Effects {
        let mut effects = update(&mut self.state, Event { now: self.clock, cause });
        // The disk is quick.
        let kept: Vec<Kept> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Keep(Write::Command(unanswered)) => Some(Kept::Command(unanswered.command.id)),
                Effect::Keep(Write::Desk { conversation, slot, .. }) => {
                    Some(Kept::Draft { conversation: *conversation, slot: *slot })
                }
                _ => None,
            })
            .collect();
        for kept in kept {
            effects.extend(update(&mut self.state, Event { now: self.clock, cause: Cause::Kept(kept) }));
        }
        effects
    }

    pub(crate) fn net(&mut self, event: NetEvent) -> Effects {
        self.happens(Cause::Net(event))
    }

    pub(crate) fn server(&mut self, frame: ServerFrame) -> Effects {
        self.net(NetEvent::Frame(Box::new(frame)))
    }

    /// Events that bring these rows.
    pub(crate) fn brings(&mut self, rows: Vec<Row>) -> Effects {
        let now = self.clock;
        self.server(ServerFrame::Events(Events { rows, ..no_events(now) }))
    }

    /// Events alone.
    pub(crate) fn tells(&mut self, events: Vec<Happened>) -> Effects {
        let now = self.clock;
        self.server(ServerFrame::Events(Events { events, ..no_events(now) }))
    }

    /// A customer's message in an open thread.
    pub(crate) fn says(&mut self, messages: Vec<Message>) -> Effects {
        let now = self.clock;
        self.server(ServerFrame::Events(Events { messages, ..no_events(now) }))
    }

    pub(crate) fn answers(&mut self, command: Command, answer: Answer) -> Effects {
        self.net(NetEvent::Answer { command: Box::new(command), answer })
    }

    /// Keys as `config.toml` writes them, one after the other, at a person's pace.
    pub(crate) fn press(&mut self, keys: &str) -> Effects {
        let mut effects = Effects::new();
        for chord in keys.parse::<Sequence>().unwrap().0 {
            let mut modifiers = KeyModifiers::NONE;
            modifiers.set(KeyModifiers::CONTROL, chord.ctrl);
            modifiers.set(KeyModifiers::ALT, chord.alt);
            modifiers.set(KeyModifiers::SHIFT, chord.shift);
            effects.extend(self.key(KeyEvent::new(chord.code, modifiers)));
        }
        effects
    }

    pub(crate) fn types(&mut self, text: &str) -> Effects {
        let mut effects = Effects::new();
        for letter in text.chars() {
            effects.extend(self.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)));
        }
        effects
    }

    fn key(&mut self, key: KeyEvent) -> Effects {
        self.clock = self.clock.plus(Duration::from_millis(40));
        self.happens(Cause::Key(key))
    }

    pub(crate) fn waits(&mut self, length: Duration) -> Effects {
        self.clock = self.clock.plus(length);
        self.happens(Cause::Tick)
    }

    /// What the reply's editor holds.
    pub(crate) fn written(&self) -> &str {
        self.state
            .open_composer()
            .and_then(|composer| composer.current())
            .map(|editor| editor.text())
            .unwrap_or_default()
    }

    pub(crate) fn toast(&self) -> &str {
        self.state.toasts.current().map(|toast| toast.text.as_str()).unwrap_or_default()
    }
}

/// The commands among effects that went to the line.
pub(crate) fn commands(effects: &Effects) -> Vec<Command> {
    let command = |effect: &Effect| match effect {
        Effect::Net(Request::Command(command)) => Some(command.clone()),
        _ => None,
    };
    effects.iter().filter_map(command).collect()
}

pub(crate) fn acts(effects: &Effects) -> Vec<Act> {
    commands(effects).into_iter().map(|command| command.act).collect()
}

pub(crate) fn done(epoch: i64) -> Answer {
    Answer::Done { epoch: Epoch(epoch), message: None, last_bot_word: None, settles_by: None }
}

pub(crate) fn no_events(now: Micros) -> Events {
    Events {
        after: Cursor("0".into()),
        through: Cursor("1".into()),
        now,
        events: vec![],
        rows: vec![],
        messages: vec![],
        cards: vec![],
        gone: vec![],
        people: vec![],
    }
}

pub(crate) fn person(n: u64) -> Person {
    let (name, role) = match n {
        ANA => ("Ana Lima", Role::Agent),
        LEO => ("Leo Duarte", Role::Agent),
        _ => ("Rita Moss", Role::Supervisor),
    };
    Person { id: agent(n), name: name.into(), role }
}

pub(crate) fn people() -> Vec<Person> {
    [ANA, LEO, RITA].into_iter().map(person).collect()
}

pub(crate) fn row(n: u64, customer: &str, control: Control) -> Row {
    Row {
        conversation: conversation(n),
        version: 1,
        channel: "Loja".into(),
        customer: customer.into(),
        handle: "+55 11 ****-4821".into(),
        control,
        epoch: Epoch(1),
        window: Window { closes_at: Some(NOW.plus(Duration::from_secs(21 * 3600 + 14 * 60))), overruled: false },
        reason: None,
        waiting_since: None,
        unanswered_since: None,
        unread: 0,
        last: None,
        bot_busy: false,
        proposals: 0,
        troubles: 0,
        held: 0,
        returns_at: None,
        callback_at: None,
        updated_at: ago(600),
    }
}

fn waiting(n: u64, customer: &str, reason: &str, seconds: u64, last: &str) -> Row {
    let since = ago(seconds);
    Row {
        reason: Some(reason.into()),
        waiting_since: Some(since),
        unanswered_since: Some(since),
        unread: 1,
        last: preview(Author::Customer, last, seconds),
        ..row(n, customer, Control::Waiting { since })
    }
}

fn mine(n: u64, customer: &str) -> Row {
    row(n, customer, Control::Agent { agent: agent(ANA), since: ago(180) })
}

fn preview(author: Author, text: &str, seconds: u64) -> Option<Preview> {
    let delivery = (author != Author::Customer).then_some(Delivery::Read);
    Some(Preview { author, text: text.into(), at: ago(seconds), delivery })
}

pub(crate) fn rows() -> Vec<Row> {
    let answered = |text| preview(Author::Agent, text, 720);
    let closes = |seconds| Window { closes_at: Some(NOW.plus(Duration::from_secs(seconds))), overruled: false };
    vec![
        Row {
            reason: Some("asked_for_human".into()),
            unanswered_since: Some(ago(48)),
            unread: 1,
            last: preview(Author::Customer, "Obrigada. Em quanto tempo cai o reembolso?", 48),
            ..mine(MARINA, "Marina Souza")
        },
        Row {
            handle: "+44 7700 ***612".into(),
            unread: 3,
            ..waiting(LONDON, "+44 7700 ***612", "charged_twice", 415, "You took the money twice!!")
        },
        Row { last: answered("De nada, João!"), ..mine(JOAO, "João Pires") },
        Row {
            window: closes(52 * 60),
            unanswered_since: Some(ago(200)),
            last: preview(Author::Customer, "is it here yet?", 200),
            ..mine(AISHA, "Aisha Bello")
        },
        waiting(LUCIA, "Lucía Fernández", "low_confidence", 190, "¿Puedo cambiar la dirección?"),
        Row { proposals: 1, ..waiting(TOM, "Tom Becker", "human_only_topic", 142, "Send me an invoice copy") },
        Row { last: preview(Author::Customer, "", 95), ..waiting(PRIYA, "Priya Nair", "asked_for_human", 95, "") },
        Row {
            window: Window { closes_at: Some(ago(900)), overruled: false },
            ..waiting(DUBAI, "+971 50 ***884", "unresolved", 4000, "مرحبا، أين طلبي؟")
        },
        Row {
            last: answered("Done, Kenji."),
            ..row(KENJI, "Kenji Ota", Control::Agent { agent: agent(LEO), since: ago(300) })
        },
        row(31, "Bot One", Control::Bot),
        row(32, "Bot Two", Control::Bot),
        row(33, "Phone Call", Control::Phone { until: NOW.plus(Duration::from_secs(600)) }),
        row(34, "Long Done", Control::Resolved { at: ago(7200) }),
    ]
}

/// `n` is both its id and its place in the thread.
pub(crate) fn said(n: u64, author: Author, seconds: u64, text: &str) -> Message {
    let delivery = match author {
        Author::Bot | Author::Agent | Author::System => Some(Delivery::Read),
        Author::Customer | Author::Phone | Author::Note => None,
    };
    let at = ago(seconds);
    Message {
        id: message(n),
        conversation: conversation(MARINA),
        version: 1,
        author,
        agent: matches!(author, Author::Agent | Author::Note).then(|| agent(ANA)),
        body: Body::text(text),
        place: Place { second: at.seconds(), arrived_at: at, index: 0 },
        at: Micros::from_seconds(at.seconds()),
        late: false,
        delivery,
        problem: None,
        quote: None,
        reactions: vec![],
        edited: None,
        revoked_at: None,
        sent_again: false,
    }
}

pub(crate) fn marina() -> Thread {
    let mark = |kind: &str, seconds, agent, detail: Option<&str>| Mark {
        at: ago(seconds),
        kind: kind.into(),
        agent,
        detail: detail.map(Into::into),
    };
    let photo = Message {
        body: Body { kind: "image".into(), text: "caixa.jpg".into(), detail: None },
        ..said(102, Author::Customer, 470, "")
    };
    let note = Message { agent: Some(agent(LEO)), ..said(104, Author::Note, 380, "no stock until April") };
    Thread {
        row: rows().remove(0),
        messages: vec![
            said(100, Author::Customer, 86_500, "Oi! Vocês entregam em Santos?"),
            said(99, Author::Bot, 86_480, "Entregamos sim, em até *3 dias úteis*."),
            said(
                101,
                Author::Customer,
                480,
                "Oi, meu pedido 88121 chegou quebrado e o robô não entende. Quero falar com uma pessoa!",
            ),
            photo,
            said(103, Author::Bot, 465, "Sinto muito! Vou chamar alguém do time agora."),
            note,
            said(105, Author::Agent, 120, "Oi Marina, sou a Ana. Já estou vendo a foto."),
            said(106, Author::Customer, 48, "Obrigada. Em quanto tempo cai o reembolso?"),
        ],
        marks: vec![mark("escalated", 466, None, Some("asked_for_human")), mark("taken", 180, Some(agent(ANA)), None)],
        more: false,
        card: Card {
            conversation: conversation(MARINA),
            version: 1,
            handoffs: vec![
                Handoff {
                    id: handoff(1),
                    reason: "asked_for_human".into(),
                    summary: "Box arrived broken, photo sent, wants money back, not a replacement.".into(),
                    opened_at: ago(466),
                    taken_at: Some(ago(180)),
                    agent: Some(agent(ANA)),
                    closed_at: None,
                    outcome: None,
                    note: None,
                    promised: None,
                },
                Handoff {
                    id: handoff(2),
                    reason: "low_confidence".into(),
                    summary: "Asked about a discount.".into(),
                    opened_at: ago(40 * 86_400),
                    taken_at: Some(ago(40 * 86_400 - 60)),
                    agent: Some(agent(LEO)),
                    closed_at: Some(ago(40 * 86_400 - 600)),
                    outcome: Some("solved".into()),
                    note: Some("10 % voucher given".into()),
                    promised: Some("voucher valid until June".into()),
                },
            ],
            marketing: None,
            merged: None,
            free_entry: None,
            facts: vec![Fact {
                key: "shoe_size".into(),
                value: "38".into(),
                learnt_at: ago(41 * 86_400),
                message: None,
            }],
            blocked_at: None,
            proposals: vec![Proposal {
                id: proposal(1),
                text: "Marina, aprovei o reembolso de R$ 612,40. Ele cai na sua conta em até 5 dias úteis.".into(),
                origin: "taken".into(),
                made_at: ago(20),
                confidence: Some(82),
            }],
        },
        draft: None,
    }
}

fn handoff(n: u64) -> HandoffId {
    Ids::seeded(n).next(Micros::ZERO)
}
