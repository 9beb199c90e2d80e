//! A whole server has all its doors: a person signs in over HTTP and follows the inbox, also over a
//! restart that throws everybody out.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use baton::net::{Address, Client, NetEvent, sign_in};
use baton_shared::{MessageId, protocol::ServerFrame};
use baton_simulator::whatsapp::{Person, Saying};
use baton_tests::{
    app::{App, eventually},
    on_both,
};
use tokio_util::sync::CancellationToken;

on_both!(
    a_person_signs_in_and_sees_the_inbox,
    app | app | {
        let secret = app.add_agent("Ana").await;
        let address: Address = app.url("").parse().expect("an address");
        assert!(sign_in(&address, "nonsense").await.is_err());
        let signed_in = sign_in(&address, &secret).await.expect("a sign-in");
        assert!(sign_in(&address, &secret).await.is_err(), "a secret is good for once");
        let mut client = app.line(signed_in.token);
        loop {
            match client.next().await.expect("a client at work") {
                NetEvent::Frame(frame) => {
                    assert!(matches!(*frame, ServerFrame::Snapshot { .. }), "{frame:?}");
                    break;
                }
                NetEvent::Welcome { me, .. } => assert_eq!(me, signed_in.me),
                NetEvent::Connecting { attempt } => assert_eq!(attempt, 1),
                other => panic!("{other:?}"),
            }
        }
    }
);

/// What somebody who only looks on has seen.
#[derive(Default)]
struct Seen {
    messages: Vec<MessageId>,
    snapshots: u64,
    welcomes: u64,
    gaps: u64,
    /// How long they were told, or chose, to stay away.
    away: Vec<Duration>,
}

async fn look_on(mut client: Client, seen: Arc<Mutex<Seen>>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = client.next() => event.expect("a client at work"),
        };
        let mut seen = seen.lock().expect("nobody failed");
        match event {
            NetEvent::Frame(frame) => {
                if let ServerFrame::Events(events) = *frame {
                    let said = events.events.into_iter().filter(|event| event.kind == "message_in");
                    seen.messages.extend(said.filter_map(|event| event.message));
                }
            }
            NetEvent::Lost { retry_in, .. } => seen.away.push(retry_in),
            NetEvent::Stopped(why) => panic!("{why}"),
            _ => (),
        }
        let stats = client.stats();
        (seen.snapshots, seen.welcomes, seen.gaps) = (stats.snapshots, stats.welcomes, stats.gaps);
    }
}

/// As many customers as `numbers` write a word each.
fn customers_write(app: &App, numbers: std::ops::Range<u32>) {
    app.simulator.with(|world, now| {
        for number in numbers {
            let person = Person::new("Customer", &format!("1555{number:07}"), &format!("US.{number:010}"));
            let person = world.whatsapp.add_person(person);
            world.whatsapp.say(now, person, Saying::text("hello"));
        }
    });
}

on_both!(
    promise_8_a_restart_under_200_clients_loses_nothing_and_brings_them_back_one_by_one,
    app | app | {
        let mut app = app;
        let stop = CancellationToken::new();
        let mut screens = Vec::new();
        let mut clients = tokio::task::JoinSet::new();
        let address: Address = app.url("").parse().expect("an address");
        for number in 0..200 {
            let secret = app.add_agent(&format!("Agent {number}")).await;
            let token = sign_in(&address, &secret).await.expect("a sign-in").token;
            let seen = Arc::new(Mutex::new(Seen::default()));
            screens.push(seen.clone());
            clients.spawn(look_on(app.line(token), seen, stop.clone()));
        }
        let all =
            |is_so: &dyn Fn(&Seen) -> bool| screens.iter().all(|seen| is_so(&seen.lock().expect("nobody failed")));
        eventually("everybody is there", async || all(&|seen| seen.snapshots == 1)).await;
        customers_write(&app, 0..20);
        eventually("everybody sees it", async || all(&|seen| seen.messages.len() == 20)).await;
        // Some of these are on their way while the server stops, some find nobody at home.
        customers_write(&app, 20..40);
        assert!(app.stop().await, "all of it ended by itself");
        customers_write(&app, 40..60);
        app.restart().await;
        eventually("everybody has seen everything", async || all(&|seen| seen.messages.len() == 60)).await;
        stop.cancel();
        while let Some(client) = clients.join_next().await {
            client.expect("a client that did not fail");
        }
        let mut returns = BTreeSet::new();
        for seen in &screens {
            let seen = seen.lock().expect("nobody failed");
            assert_eq!((seen.gaps, seen.snapshots), (0, 1), "they went on where they were");
            assert!(seen.welcomes >= 2);
            let once: BTreeSet<&MessageId> = seen.messages.iter().collect();
            assert_eq!(once.len(), seen.messages.len(), "each event once");
            returns.extend(seen.away.first().map(Duration::as_millis));
        }
        assert!(returns.len() > 100, "they come back at {} different moments", returns.len());
    }
);
