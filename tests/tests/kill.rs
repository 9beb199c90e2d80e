//! `kill -9` of the real program in mid-traffic, again and again. What the simulated Meta signed, was
//! asked and delivered is compared with what is stored; the server's opinion of itself is not asked.
#![cfg(unix)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use baton_server::store::{
    audit::{self, Attempt, Message},
    conversations::{self, Conversation},
};
use baton_shared::{
    AttemptId, Control, ConversationId, MessageId, Micros,
    message::{Author, Delivery},
};
use baton_simulator::{
    Span,
    customers::shop,
    whatsapp::{Config, Faults, Ledger, PersonId, Request},
};
use baton_tests::{
    site::Site,
    store::{Database, in_time, left_out},
};
use tokio::time::{Instant, sleep};

const KILLS: usize = 4;
const CUSTOMERS: usize = 100;

/// A number's lease and a turn's must be over before another process goes on with them.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a life of the server must have stored before it is worth ending.
const ACKED: usize = 10;

/// How fresh a request to Graph is that cannot have been answered yet.
const ON_ITS_WAY: Duration = Duration::from_millis(40);

/// Webhooks come doubled, late and in company, and Graph takes its time, so that there is always
/// something to be killed in.
fn busy() -> Config {
    let faults = Faults { duplicate: 0.2, reorder: 0.15, batch: 0.25, overtake: 0.1, ..Faults::none() };
    let mut config = Config::shop().with_faults(faults);
    config.pace.answer = Span::millis(60, 250);
    (config.pace.sent, config.pace.delivered) = (Span::millis(20, 100), Span::millis(50, 200));
    config.pace.read = Span::millis(100, 400);
    config.pace.retry_first = Duration::from_millis(100);
    config.pace.retry_longest = Duration::from_millis(400);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_1_2_5_and_13_are_kept_when_the_process_is_killed() {
    in_time(run(Database::sqlite(), |_| Moment::AnswerOutstanding)).await;
}

/// Whoever comes after a killed server sends nothing until its lease of the number is over, so that
/// only the first is killed while it sends.
#[tokio::test(flavor = "multi_thread")]
async fn promises_1_2_5_and_13_are_kept_when_the_process_is_killed_on_postgres() {
    let Some(database) = Database::postgres().await else {
        return left_out("promises_1_2_5_and_13_are_kept_when_the_process_is_killed_on_postgres");
    };
    let moment = |kill| if kill == 0 { Moment::AnswerOutstanding } else { Moment::WebhookOutstanding };
    in_time(run(database, moment)).await;
}

/// In the middle of what the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Meta has posted, and has no answer yet.
    WebhookOutstanding,
    /// That, and Meta has taken a message of which the server has not heard yet.
    AnswerOutstanding,
}

async fn run(database: Database, moment: impl Fn(usize) -> Moment) {
    let mut site = Site::new(database, busy()).await;
    site.serve().await;
    site.simulator.with(|world, now| {
        world.customers.think = Span::millis(100, 600);
        let mut chance = fastrand::Rng::with_seed(7);
        for customer in shop::crowd(CUSTOMERS, Duration::from_secs(6), &mut chance) {
            world.invite(now, customer);
        }
    });
    let mut open = BTreeSet::new();
    for kill in 0..KILLS {
        wait_for(&site, moment(kill)).await;
        assert!(site.kill(), "it had ended by itself: {}", site.log());
        open.extend(site.simulator.with(|world, _| unanswered(world.whatsapp.ledger())));
        let stored = Stored::read(&site).await;
        site.simulator.with(|world, _| stored.promises_1_and_2(world.whatsapp.ledger()));
        site.serve().await;
    }
    site.simulator.with(|world, _| world.customers.fall_silent());
    come_to_rest(&mut site).await;
    let stored = Stored::read(&site).await;
    site.simulator.with(|world, _| {
        let ledger = world.whatsapp.ledger();
        assert!(ledger.duplicates_posted() > 0, "nothing came twice");
        stored.promises_1_and_2(ledger);
        stored.promise_5(ledger);
        stored.promise_13(ledger, &open);
    });
}

/// Whether what is to be interrupted goes on right now.
fn goes_on(ledger: &Ledger, moment: Moment, now: Micros) -> bool {
    let mut posts = ledger.signed().iter().flat_map(|signed| &signed.attempts);
    let posted = posts.any(|post| post.answered_at.is_none());
    let since = now.minus(ON_ITS_WAY);
    let taken = ledger.accepted().any(|(request, _)| request.at > since);
    posted && (moment == Moment::WebhookOutstanding || taken)
}

/// Lets the server get to work, and waits for the moment to end it.
async fn wait_for(site: &Site, moment: Moment) {
    let acked = |ledger: &Ledger| ledger.inbound_acked().len();
    let before = site.simulator.with(|world, _| acked(world.whatsapp.ledger()));
    until(&format!("{moment:?}"), async || {
        site.simulator.with(|world, now| {
            let ledger = world.whatsapp.ledger();
            acked(ledger) >= before + ACKED && goes_on(ledger, moment, now)
        })
    })
    .await;
}

/// Nobody says anything new, all is posted, and nothing is the server's to do.
async fn come_to_rest(site: &mut Site) {
    let db = site.store().await;
    until("everything comes to rest", async || {
        let quiet = site.simulator.with(|world, _| {
            let mut posts = world.whatsapp.ledger().signed().iter().flat_map(|signed| &signed.attempts);
            world.next_due().is_none() && posts.all(|post| post.answered_at.is_some())
        });
        let mut reader = db.reader().await.unwrap();
        quiet && audit::on_their_way(reader.conn(), Micros(i64::MAX)).await.unwrap() == 0
    })
    .await;
    db.close().await;
    assert!(site.runs(), "{}", site.log());
}

async fn until(name: &str, mut what: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !what().await {
        assert!(Instant::now() < deadline, "in vain: {name}");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Who has been heard (Meta was told 200) and has got no word since.
fn unanswered(ledger: &Ledger) -> BTreeSet<PersonId> {
    let acked = ledger.inbound_acked();
    let last = last_words(ledger);
    last.into_iter().filter(|(_, (wamid, _))| acked.contains(wamid)).map(|(person, _)| person).collect()
}

/// The last words of those who got none after them.
fn last_words(ledger: &Ledger) -> BTreeMap<PersonId, (&str, Micros)> {
    let mut last: BTreeMap<_, _> =
        ledger.said().iter().map(|said| (said.person, (said.wamid.as_str(), said.at))).collect();
    for reached in ledger.reached() {
        if last.get(&reached.person).is_some_and(|(_, at)| *at <= reached.at) {
            last.remove(&reached.person);
        }
    }
    last
}

/// The whole store.
struct Stored {
    messages: HashMap<MessageId, Message>,
    attempts: HashMap<AttemptId, Attempt>,
    threads: HashMap<ConversationId, Conversation>,
    /// Of the customers' messages, by Meta's id.
    inbound: BTreeMap<String, Vec<Message>>,
}

impl Stored {
    async fn read(site: &Site) -> Self {
        let db = site.store().await;
        let mut reader = db.snapshot().await.unwrap();
        let messages = audit::messages(reader.conn()).await.unwrap();
        let attempts = audit::attempts(reader.conn()).await.unwrap();
        let mut inbound = BTreeMap::<String, Vec<Message>>::new();
        for message in messages.iter().filter(|message| message.author == Author::Customer) {
            let wamid = message.wamid.clone().expect("it came from Meta");
            inbound.entry(wamid).or_default().push(message.clone());
        }
        let mut threads = HashMap::new();
        for id in messages.iter().map(|message| message.conversation).collect::<BTreeSet<_>>() {
            let thread = conversations::by_id(reader.conn(), id).await.unwrap();
            threads.insert(id, thread.expect("a message stands in a conversation"));
        }
        drop(reader);
        db.close().await;
        Self {
            messages: messages.into_iter().map(|one| (one.id, one)).collect(),
            attempts: attempts.into_iter().map(|one| (one.id, one)).collect(),
            threads,
            inbound,
        }
    }

    /// What was answered 200 is stored, and everything that is stored was said, and stands there once.
    #[track_caller]
    fn promises_1_and_2(&self, ledger: &Ledger) {
        let acked = ledger.inbound_acked();
        let lost: Vec<_> = acked.iter().filter(|wamid| !self.inbound.contains_key(**wamid)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let said: BTreeSet<&str> = ledger.said().iter().map(|said| said.wamid.as_str()).collect();
        let odd = self.inbound.iter().filter(|(wamid, kept)| kept.len() > 1 || !said.contains(wamid.as_str()));
        assert_eq!(odd.collect::<Vec<_>>(), []);
    }

    fn message_of(&self, opaque: Option<&str>) -> Option<&Message> {
        let attempt: AttemptId = opaque?.parse().ok()?;
        self.messages.get(&self.attempts.get(&attempt)?.message)
    }

    /// Nobody resends anything here, so nothing reaches anybody twice; and the store says of each word
    /// what Meta says, or that it does not know.
    #[track_caller]
    fn promise_5(&self, ledger: &Ledger) {
        let mut sends = ledger.requests().iter().filter(|request| request.opaque.is_some());
        let journaled = |request: &Request| self.message_of(request.opaque.as_deref()).is_some();
        assert!(sends.all(journaled), "Meta was asked, and no trace of it is stored");
        let doubled = ledger.doubled(|reached| self.message_of(reached.opaque.as_deref()).map(|message| message.id));
        assert!(doubled.is_empty(), "reached somebody twice: {doubled:?}");
        let taken: BTreeSet<MessageId> = ledger
            .accepted()
            .filter_map(|(request, _)| self.message_of(request.opaque.as_deref()))
            .map(|message| message.id)
            .collect();
        for message in self.messages.values() {
            match message.delivery {
                Some(Delivery::Queued | Delivery::Sending) => {
                    let thread = self.messages.values().filter(|one| one.conversation == message.conversation);
                    let held = thread.into_iter().any(|one| one.delivery == Some(Delivery::Unknown));
                    assert!(held, "{message:?} has not been sent");
                }
                Some(Delivery::Accepted | Delivery::Sent | Delivery::Delivered | Delivery::Read) => {
                    assert!(taken.contains(&message.id), "Meta never took {message:?}");
                }
                _ => (),
            }
        }
    }

    /// Whoever had been heard when a server was killed, and everybody else, has an answer, or waits for
    /// a person, or for the answer of which nobody knows whether it arrived.
    #[track_caller]
    fn promise_13(&self, ledger: &Ledger, open: &BTreeSet<PersonId>) {
        let last = last_words(ledger);
        let mut forgotten = Vec::new();
        for (person, (wamid, _)) in &last {
            let Some(message) = self.inbound.get(*wamid).and_then(|kept| kept.first()) else {
                forgotten.push((*person, "never arrived".to_owned()));
                continue;
            };
            let thread = &self.threads[&message.conversation];
            let mut words = self.messages.values().filter(|one| one.conversation == thread.id);
            let unknown = words.any(|one| one.delivery == Some(Delivery::Unknown));
            let kept = matches!(thread.control, Control::Waiting { .. } | Control::Agent { .. }) || unknown;
            if !kept && thread.unanswered_since.is_some() {
                forgotten.push((*person, format!("{thread:?}")));
            }
        }
        assert!(forgotten.is_empty(), "{forgotten:#?}");
        let answered = open.iter().filter(|person| !last.contains_key(person)).count();
        assert!(answered > 0, "nobody was waiting when a server was killed: {open:?}");
    }
}
