//! Each role does what the table says: every act, frame, event and route, tried by everybody.

use baton_server::inbox::roles::{Right, may};
use baton_shared::{
    ConversationId, Epoch, Micros, Role,
    message::Place,
    offer::Offer,
    protocol::{Act, Answer, ClientFrame, Command, ProblemCode, Refusal, ServerFrame, ThreadAction},
    template::Filled,
};
use baton_tests::on_both;
use reqwest::{Method, StatusCode};

use crate::{
    house::{Desk, House, Screen, Signed},
    sign_in::{GUARDED, ask},
};

/// The table once more, written by hand from the design: agent, supervisor, admin.
const TABLE: [(Right, [bool; 3]); 13] = [
    (Right::SeeQueue, [true, true, false]),
    (Right::WatchBot, [true, true, false]),
    (Right::Work, [true, true, false]),
    (Right::Assign, [false, true, false]),
    (Right::ReadAnothersDraft, [false, true, false]),
    (Right::Switches, [false, true, true]),
    (Right::Reports, [false, true, true]),
    (Right::Audit, [false, true, true]),
    (Right::People, [false, false, true]),
    (Right::Channels, [false, false, true]),
    (Right::Playbook, [false, false, true]),
    (Right::Secrets, [false, false, true]),
    (Right::Erase, [false, false, true]),
];

#[test]
fn promise_11_the_table_is_the_designs() {
    assert_eq!(TABLE.map(|(right, _)| right), Right::ALL);
    for (right, granted) in TABLE {
        assert_eq!(Role::ALL.map(|role| may(role, right)), granted, "{right:?}");
    }
}

/// One of each; `epoch` is what they see.
fn every_act(house: &House, epoch: Epoch, to: &Signed) -> Vec<Act> {
    let (message, proposal) = (house.context.ids.next(Micros(0)), house.context.ids.next(Micros(0)));
    let text = || "text".to_owned();
    vec![
        Act::Take { epoch },
        Act::Assign { epoch, to: to.id, reason: text() },
        Act::Release { epoch },
        Act::HandBack { epoch, outcome: text(), note: text(), promised: text() },
        Act::Resolve { epoch, outcome: text() },
        Act::Split { epoch },
        Act::Forget {},
        Act::Thread { epoch, action: ThreadAction::Release },
        Act::Block { epoch, blocked: true },
        Act::Escalate { epoch, reason: text() },
        Act::Send { epoch, text: text(), seen: None, reply_to: None },
        Act::SendWhenTheyWrite { epoch, text: text() },
        Act::SendParts { epoch, text: text(), parts: 2, seen: None, reply_to: None },
        Act::SendFile { epoch, file: house.context.ids.next(Micros(0)), caption: text(), seen: None, reply_to: None },
        Act::SendOffer { epoch, offer: Offer::AskPlace { body: text() }, seen: None, reply_to: None },
        Act::React { epoch, message, emoji: String::new() },
        Act::SendTemplate { epoch, template: Filled { name: text(), language: text(), values: vec![] }, seen: None },
        Act::Consent { granted: true, proof: text() },
        Act::Note { text: text() },
        Act::Resend { epoch, message },
        Act::Cancel { message },
        Act::UseProposal { epoch, proposal, text: text(), seen: None },
        Act::DropProposal { proposal },
        Act::Read { through: message },
    ]
}

/// Whether the role, and not the state of things, is what forbids it.
fn forbidden(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused { code: Refusal::NotAllowed, .. })
}

struct Everybody {
    house: House,
    desk: Desk,
    screens: Vec<(Role, Screen)>,
}

async fn everybody(house: House) -> Everybody {
    let desk = house.serve().await;
    let mut screens = vec![];
    for role in Role::ALL {
        let signed = house.sign_in(&desk, role.word(), role).await;
        screens.push((role, Screen::open(&desk, &signed).await));
    }
    Everybody { house, desk, screens }
}

on_both!(promise_11_every_act_by_every_role, |store| {
    let Everybody { house, screens, desk: _desk } = everybody(House::open(store).await).await;
    let colleague = screens[0].1.signed.clone();
    for (role, mut screen) in screens {
        let acts = every_act(&house, Epoch(1), &colleague);
        assert_eq!(acts.len(), 24, "every act there is");
        for (number, act) in acts.into_iter().enumerate() {
            let (thread, _) = house.writes(&format!("1555{}{number}", role as u8), "hello").await;
            let answer = screen.act(&house, thread, act.clone()).await;
            let right = if matches!(act, Act::Block { .. }) { Right::Assign } else { Right::Work };
            assert_eq!(forbidden(&answer), !may(role, right), "{role}: {act:?}: {answer:?}");
        }
    }
});

on_both!(promise_11_only_supervisors_give_away_what_is_not_theirs, |store| {
    let Everybody { house, screens, desk: _desk } = everybody(House::open(store).await).await;
    let colleague = screens[0].1.signed.clone();
    for (role, mut screen) in screens {
        let (thread, _) = house.writes(&format!("1555{}", role as u8), "hello").await;
        let (waits, ids) = (house.moment(), house.context.ids.clone());
        house
            .write(move |tx| {
                let ids = ids.clone();
                Box::pin(async move { escalate(tx, thread, waits, &ids).await })
            })
            .await;
        let act = Act::Assign { epoch: Epoch(2), to: colleague.id, reason: "because".into() };
        let done = matches!(screen.act(&house, thread, act).await, Answer::Done { .. });
        assert_eq!(done, may(role, Right::Assign), "{role}");
    }
});

async fn escalate(
    tx: &mut baton_server::store::Tx,
    thread: ConversationId,
    at: baton_server::store::Moment,
    ids: &baton_shared::Ids,
) -> Result<(), baton_server::store::StoreError> {
    use baton_server::{
        domain::control::{Step, Who},
        store::{
            control::{Because, pass},
            conversations,
        },
    };
    let mut locked = conversations::lock(tx, thread).await?.unwrap();
    pass(tx, &mut locked, Step::Escalate, Who::Bot, &Because::reason("test"), at, ids).await?.unwrap();
    conversations::save(tx, &locked).await
}

on_both!(promise_11_every_frame_by_every_role, |store| {
    let Everybody { house, screens, desk: _desk } = everybody(House::open(store).await).await;
    for (role, mut screen) in screens {
        let (conversation, _) = house.writes(&format!("1555{}", role as u8), "hello").await;
        let before = Place { second: i64::MAX, arrived_at: Micros::MAX, index: 0 };
        let asks = [
            (ClientFrame::Open { conversation }, Right::SeeQueue),
            (ClientFrame::History { conversation, before }, Right::SeeQueue),
            (ClientFrame::Templates { conversation }, Right::SeeQueue),
            (ClientFrame::Board, Right::Reports),
            (ClientFrame::Draft { conversation, text: "text".into(), based_on: 0 }, Right::Work),
        ];
        for (frame, right) in asks {
            screen.say(&frame).await;
            let answered = screen
                .expect(|frame| match frame {
                    ServerFrame::Thread(_)
                    | ServerFrame::History { .. }
                    | ServerFrame::Templates { .. }
                    | ServerFrame::Board(_)
                    | ServerFrame::DraftSaved { .. } => Some(true),
                    ServerFrame::Problem { code: ProblemCode::NotAllowed, fatal: false, .. } => Some(false),
                    _ => None,
                })
                .await;
            assert_eq!(answered, may(role, right), "{role}: {frame:?}");
        }
    }
});

on_both!(promise_11_every_event_and_row_for_every_role, |store| {
    let Everybody { house, desk, screens } = everybody(House::open(store).await).await;
    let (thread, message) = house.writes("15550001", "hello").await;
    for (role, mut screen) in screens {
        // Whoever may see neither is told of nothing; its frames go on.
        let hears = may(role, Right::SeeQueue) || may(role, Right::Audit);
        if hears {
            screen.until(|screen| screen.events.iter().any(|event| event.message == Some(message))).await;
        }
        assert_eq!(screen.rows.contains_key(&thread), may(role, Right::SeeQueue), "{role}");
        // The same to somebody who begins now.
        let mut again = Screen::open(&desk, &screen.signed).await;
        if may(role, Right::SeeQueue) {
            again.until(|screen| screen.rows.contains_key(&thread)).await;
        }
        assert_eq!(again.rows.contains_key(&thread), may(role, Right::SeeQueue), "{role}");
        // A fact about nobody's conversation is for whoever audits.
        let about_people = again.events.iter().chain(&screen.events).any(|event| event.conversation.is_none());
        assert!(!about_people || may(role, Right::Audit), "{role}");
    }
});

on_both!(promise_11_every_route_by_every_role, |store| {
    let Everybody { house, desk, screens } = everybody(House::open(store).await).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    for (role, screen) in screens {
        let token = Some(screen.signed.token.as_str());
        for (method, route) in GUARDED {
            let right = match route {
                "/api/v1/queue" => Some(Right::SeeQueue),
                route if route.contains("/files/") => Some(Right::Work),
                route if route.starts_with("/api/v1/conversations/") => Some(Right::SeeQueue),
                route if route.starts_with("/api/v1/media/") => Some(Right::SeeQueue),
                "/api/v1/me" => None,
                // The first is no websocket here, the second is tried above, the third is tried last.
                "/inbox" | "/api/v1/commands" | "/api/v1/sign-out" => continue,
                other => panic!("{other}: which right does it need?"),
            };
            let route = route.replace("0192d4c8-0000-7000-8000-000000000001", &thread.to_string());
            let answered = ask(&desk, method, &route, token, "").await;
            let allowed = right.is_none_or(|right| may(role, right));
            let found = match &*route {
                // There is no such file.
                route if route.starts_with("/api/v1/media/") => StatusCode::NOT_FOUND,
                // The conversation is not theirs.
                route if route.contains("/files/") => StatusCode::CONFLICT,
                _ => StatusCode::OK,
            };
            let expected = if allowed { found } else { StatusCode::FORBIDDEN };
            assert_eq!(answered.status, expected, "{role}: {route}");
        }
        let act = Act::Note { text: "text".into() };
        let command = Command { id: house.context.ids.next(Micros(0)), conversation: thread, act };
        let body = serde_json::to_string(&command).unwrap();
        let answered = ask(&desk, Method::POST, "/api/v1/commands", token, &body).await;
        let answer: Answer = serde_json::from_value(answered.body).unwrap();
        assert_eq!(forbidden(&answer), !may(role, Right::Work), "{role}");
        let out = ask(&desk, Method::POST, "/api/v1/sign-out", token, "").await;
        assert_eq!(out.status, StatusCode::NO_CONTENT, "{role}");
    }
});
