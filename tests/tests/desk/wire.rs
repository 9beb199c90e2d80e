//! Clients that are slow, silent or broken, and a server that stops.

use std::time::Duration;

use baton_server::inbox::Options;
use baton_shared::{
    Role,
    protocol::{ClientFrame, Doing, PROTOCOL, ProblemCode, ServerFrame},
};
use baton_tests::on_both;

use crate::house::{Desk, House, Over, Screen, Signed, dial, hello};

const SHORT: Duration = Duration::from_millis(300);

async fn dialled(desk: &Desk, who: &Signed) -> Screen {
    Screen::new(dial(desk, &who.token).await.unwrap(), who.clone())
}

/// The problem that ends the connection.
async fn ends(screen: &mut Screen) -> ProblemCode {
    loop {
        match screen.hear().await {
            Ok(ServerFrame::Problem { code, fatal: true, why }) => {
                assert!(!why.is_empty());
                assert!(matches!(screen.hear().await, Err(Over::Closed(Some(_)))), "and says goodbye");
                return code;
            }
            Ok(_) => (),
            Err(over) => panic!("ended without a reason: {over:?}"),
        }
    }
}

/// Somebody who is not disturbed by what happens to others.
async fn bystander(house: &House, desk: &Desk) -> Screen {
    let signed = house.sign_in(desk, "Bystander", Role::Agent).await;
    Screen::open(desk, &signed).await
}

async fn is_well(house: &House, mut screen: Screen) {
    let (thread, _) = house.writes("15559999", "hello").await;
    screen.until(|screen| screen.rows.contains_key(&thread)).await;
}

on_both!(garbage_is_named_and_then_shown_the_door, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let other = bystander(&house, &desk).await;
    let mut screen = Screen::open(&desk, &ana).await;
    for garbage in ["", "{", r#"{"type":"teapot"}"#, r#"{"type":"open"}"#] {
        screen.say_text(garbage.into()).await;
        let problem = screen.expect(|frame| match frame {
            ServerFrame::Problem { code, fatal, .. } => Some((code, fatal)),
            _ => None,
        });
        assert_eq!(problem.await, (ProblemCode::Unreadable, false), "{garbage}");
    }
    // A good frame in between, and all is forgiven.
    let (thread, _) = house.writes("15550001", "hello").await;
    screen.follow(thread).await;
    for _ in 0..5 {
        screen.say_text("[]".repeat(1_000)).await;
    }
    assert_eq!(ends(&mut screen).await, ProblemCode::Unreadable);
    is_well(&house, other).await;
});

on_both!(a_frame_that_is_too_large_ends_it, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let other = bystander(&house, &desk).await;
    let mut screen = Screen::open(&desk, &ana).await;
    screen.say_text("x".repeat(300 * 1024)).await;
    assert_eq!(ends(&mut screen).await, ProblemCode::Unreadable);
    is_well(&house, other).await;
});

on_both!(whoever_does_not_say_hello_first_leaves, |store| {
    let house = House::open(store).await;
    let desk = house.serve_with(Options { hello: SHORT, ..Options::default() }).await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut silent = dialled(&desk, &ana).await;
    assert!(matches!(silent.hear().await, Err(Over::Closed(_))));

    let mut hasty = dialled(&desk, &ana).await;
    hasty.say(&ClientFrame::Here(Doing::default())).await;
    assert_eq!(ends(&mut hasty).await, ProblemCode::Order);

    let mut twice = Screen::open(&desk, &ana).await;
    twice.say(&hello()).await;
    assert_eq!(ends(&mut twice).await, ProblemCode::Order);
});

on_both!(a_version_that_is_not_spoken_is_told_what_to_do, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    for (protocol, advice) in [(0, "update your client"), (PROTOCOL + 1, "the server to be updated")] {
        let mut screen = dialled(&desk, &ana).await;
        screen.say(&ClientFrame::Hello { protocol, build: "old".into(), resume: None, open: vec![] }).await;
        let Ok(ServerFrame::Problem { code, why, fatal }) = screen.hear().await else { panic!("welcome?") };
        assert_eq!((code, fatal), (ProblemCode::Version, true));
        assert!(why.contains(advice), "{why}");
    }
});

on_both!(a_silent_client_is_gone, |store| {
    let house = House::open(store).await;
    // Long enough for whoever does read, also on a machine with much else to do.
    let silence = SHORT * 8;
    let desk = house.serve_with(Options { silence, ..Options::default() }).await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    // Ana's client answers pings because it reads; Ben's does not read.
    let mut anas = Screen::open(&desk, &ana).await;
    let bens = Screen::open(&desk, &ben).await;
    anas.until(|screen| screen.here.iter().any(|here| here.agent == ben.id)).await;
    anas.until(|screen| screen.here.iter().all(|here| here.agent == ana.id)).await;
    drop(bens);
});

on_both!(promise_8_a_slow_client_begins_anew, |store| {
    let house = House::open(store).await;
    // Behind, but not so slow that it is cut off, however slow the machine is.
    let patient = Duration::from_secs(300);
    let desk = house.serve_with(Options { backlog: 2, write: patient, silence: patient, ..Options::default() }).await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut other = bystander(&house, &desk).await;
    let mut slow = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    slow.follow(thread).await;
    // More than what the sockets hold between them.
    let long = "x".repeat(4_000);
    let said: Vec<(&str, &str)> = (0..100).map(|_| ("15550001", long.as_str())).collect();
    for _ in 0..25 {
        let (_, last) = house.many_write(house.channel, &said).await.pop().unwrap();
        other.until(|screen| screen.events.iter().any(|event| event.message == Some(last))).await;
        other.events.clear();
    }
    slow.until(|screen| screen.resyncs > 0 && screen.snapshots == 2).await;
    let (thread, last) = house.writes("15550002", "hello").await;
    slow.until(|screen| screen.events.iter().any(|event| event.message == Some(last))).await;
    assert_eq!(slow.rows[&thread].unread, 1);
    assert_eq!(other.resyncs, 0);
});

on_both!(clients_of_a_server_that_stops_are_told_to_come_back, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screens = vec![];
    for _ in 0..20 {
        screens.push(Screen::open(&desk, &ana).await);
    }
    let stopping = desk.life.stop(Duration::from_secs(10));
    let moved = async {
        let mut waits = vec![];
        for screen in &mut screens {
            let wait = screen.expect(|frame| match frame {
                ServerFrame::Moving { wait_ms } => Some(wait_ms),
                _ => None,
            });
            waits.push(wait.await);
            let Err(Over::Closed(Some(close))) = screen.hear().await else { panic!("no goodbye") };
            assert_eq!(u16::from(close.code), 1001);
        }
        waits
    };
    let (clean, mut waits) = tokio::join!(stopping, moved);
    assert!(clean, "nobody had to be cut off");
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 10, "not all at once: {waits:?}");
    let (thread, _) = house.writes("15550001", "hello").await;
    for screen in &mut screens {
        screen.reconnect(&other).await;
        screen.until(|screen| screen.rows.contains_key(&thread)).await;
    }
});
