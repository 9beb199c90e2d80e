//! A document as large as WhatsApp takes, in and out, over a server that never holds it as a whole.

use std::{io::Write, time::Duration};

use baton::net::{self, Address};
use baton_server::{
    inbox::{new_secret, secret_hash},
    store::{
        Urgency,
        agents::{self, Agent},
        messages,
    },
};
use baton_shared::{
    ConversationId, Ids, MessageId, Role,
    content::{Content, Media, MediaState},
    file::{FileKind, LARGEST},
    protocol::{Act, Answer, Command, SignedIn, Thread},
};
use baton_simulator::whatsapp::{Attachment, Lies, Person, PersonId, Saying};
use baton_tests::{app::eventually, site::Site, store::in_time};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// What the server's memory may grow by, in bytes: half of what one file has.
const ROOM: u64 = LARGEST / 2;

/// More than any test here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An agent at a server that is a process of its own.
struct Desk<'a> {
    site: &'a Site,
    ids: Ids,
    client: reqwest::Client,
    signed: SignedIn,
}

impl<'a> Desk<'a> {
    async fn new(site: &'a Site) -> Self {
        let (now, ids, store) = (site.clock.now(), Ids::system(), site.store().await);
        let ana = Agent {
            id: ids.next(now),
            name: "Ana".into(),
            role: Role::Agent,
            team: String::new(),
            created_at: now,
            disabled_at: None,
        };
        let secret = new_secret(&ids);
        let hash = secret_hash(&secret);
        let job = store.write(Urgency::First, move |tx| {
            let (ana, hash) = (ana.clone(), hash.clone());
            Box::pin(async move { agents::insert(tx, &ana, &hash).await })
        });
        job.await.expect("a write");
        store.close().await;
        let signed = net::sign_in(&address(site), &secret).await.expect("a sign-in");
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("an HTTP client");
        Self { site, ids, client, signed }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let asked = self.client.get(self.site.url(path)).bearer_auth(&self.signed.token);
        asked.send().await.expect("an answer")
    }

    async fn thread(&self, thread: ConversationId) -> Thread {
        self.get(&format!("/api/v1/conversations/{thread}")).await.json().await.expect("a thread")
    }

    /// The file of a message, once it is in this state.
    async fn becomes(&self, state: MediaState, message: MessageId, thread: ConversationId) -> Media {
        let shown = async || {
            let thread = self.thread(thread).await;
            let one = thread.messages.into_iter().find(|one| one.id == message).expect("the message");
            match one.body.detail.and_then(|detail| detail.content) {
                Some(Content::Media(media)) => media,
                other => panic!("{other:?}"),
            }
        };
        eventually(state.word(), async || shown().await.state == Some(state)).await;
        shown().await
    }

    async fn acts(&self, conversation: ConversationId, act: Act) -> Answer {
        let command = Command { id: self.ids.next(self.site.clock.now()), conversation, act };
        let asked = self.client.post(self.site.url("/api/v1/commands")).bearer_auth(&self.signed.token);
        asked.json(&command).send().await.expect("an answer").json().await.expect("an answer to a command")
    }
}

fn address(site: &Site) -> Address {
    site.url("").parse().expect("an address")
}

/// A new customer sends a file.
async fn sends(site: &Site, name: &str, attachment: Attachment) -> (PersonId, MessageId, ConversationId) {
    let (person, wamid) = site.simulator.with(|world, now| {
        let number = world.whatsapp.people().len();
        let person = Person::new(name, &format!("1555{number:07}"), &format!("US.{number:010}"));
        let person = world.whatsapp.add_person(person);
        (person, world.whatsapp.say(now, person, Saying::attached(attachment)))
    });
    let store = site.store().await;
    let found = async || {
        let mut reader = store.reader().await.expect("a reader");
        messages::by_wamids(reader.conn(), [wamid.as_str()]).await.expect("a read").pop()
    };
    eventually("it is stored", async || found().await.is_some()).await;
    let (_, message, thread) = found().await.expect("stored a moment ago");
    store.close().await;
    (person, message, thread)
}

/// What the process has had of memory at most, in bytes; `None` where nobody says.
fn most_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1_024)
}

/// A document of one byte more than WhatsApp takes; no two of its pieces are the same.
fn too_much() -> Bytes {
    let length = usize::try_from(LARGEST).expect("it fits into memory") + 1;
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.reserve_exact(length);
    let mut piece = Sha256::digest(b"the first");
    while bytes.len() < length {
        piece = Sha256::digest(piece);
        let line = hex::encode(piece).repeat(64);
        bytes.extend_from_slice(&line.as_bytes()[..line.len().min(length - bytes.len())]);
    }
    bytes.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_as_large_as_whatsapp_takes_comes_and_goes_and_is_never_held() {
    in_time(async {
        let mut site = Site::sqlite().await;
        site.serve().await;
        let desk = Desk::new(&site).await;
        let too_much = too_much();
        let whole = too_much.slice(..too_much.len() - 1);
        let digest = Sha256::digest(&whole);
        let before = most_memory(site.process());

        let document = |bytes: &Bytes| Attachment::new("document", "application/pdf", bytes.clone());
        let (marina, message, thread) = sends(&site, "Marina", document(&whole).named("plans.pdf")).await;
        let media = desk.becomes(MediaState::Stored, message, thread).await;
        assert_eq!(media.size, Some(LARGEST.cast_signed()));
        let mut opened = desk.get(&format!("/api/v1/media/{message}")).await;
        let (mut seen, mut size) = (Sha256::new(), 0);
        while let Some(piece) = opened.chunk().await.expect("the rest of it") {
            seen.update(&piece);
            size += piece.len() as u64;
        }
        assert_eq!((size, seen.finalize()), (LARGEST, digest));

        // Whatever is said of its size.
        let lies = Lies { size: Some(5), ..Lies::default() };
        let (_, refused, other) = sends(&site, "Tom", document(&too_much).lying(lies)).await;
        let media = desk.becomes(MediaState::Refused, refused, other).await;
        assert_eq!(media.problem.as_deref(), Some("It is larger than this server takes."));
        assert_eq!(desk.get(&format!("/api/v1/media/{refused}")).await.status(), 404);

        let epoch = desk.thread(thread).await.row.epoch;
        let Answer::Done { epoch, .. } = desk.acts(thread, Act::Take { epoch }).await else { panic!("not taken") };
        let disk = tempfile::NamedTempFile::new().expect("a file");
        disk.as_file().write_all(&whole).expect("a write");
        let id = desk.ids.next(site.clock.now());
        let brought =
            net::bring(&address(&site), &desk.signed.token, thread, id, disk.path(), FileKind::Document, |_| {}).await;
        assert_eq!(brought.expect("brought").size, LARGEST);
        let caption = "signed".to_owned();
        let send = Act::SendFile { epoch, file: id, caption, seen: Some(message), reply_to: None };
        let answer = desk.acts(thread, send).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
        eventually("it reaches her", async || {
            site.simulator.with(|world, _| {
                let whatsapp = &world.whatsapp;
                let mut files = whatsapp.ledger().reached().iter().filter(|one| one.person == marina);
                files.any(|one| {
                    one.file.as_deref().and_then(|id| whatsapp.bytes(id)).is_some_and(|(got, _)| got == whole)
                })
            })
        })
        .await;
        if let (Some(before), Some(after)) = (before, most_memory(site.process())) {
            println!("memory of the server: {} MB before, {} MB at most", before >> 20, after >> 20);
            assert!(after < before + ROOM, "{before} bytes before, {after} at most");
        }
    })
    .await;
}
