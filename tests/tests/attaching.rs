//! Files that agents send: from this disk over the server to the simulated WhatsApp, on both engines.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use baton::net::{self, Client, FileError};
use baton_shared::{
    Epoch, MessageId, UploadId,
    content::{Content, MediaState},
    file::FileKind,
    message::{Author, Delivery},
    protocol::{Act, Answer, Refusal, Uploaded},
    template::{self, Filled},
};
use baton_simulator::whatsapp::{Done, Saying};
use baton_tests::{
    app::{App, eventually},
    on_both,
    post::Talk,
};
use reqwest::StatusCode;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0 and what follows";
/// One that can be decoded.
const MUGS: &[u8] = include_bytes!("../../simulator/src/customers/files/two-mugs.png");
const PDF: &[u8] = b"%PDF-1.7 a bill";

/// An agent with a customer of theirs, and files on their disk.
struct Bench<'a> {
    app: &'a App,
    token: String,
    client: Client,
    talk: Talk,
    epoch: Epoch,
    disk: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    async fn new(app: &'a App) -> Self {
        let secret = app.add_agent("Ana").await;
        let address = app.url("").parse().expect("an address");
        let signed = net::sign_in(&address, &secret).await.expect("a sign-in");
        let talk = app.taken("Marina", signed.me.id).await;
        let epoch = app.acts().thread(talk.conversation).await.epoch;
        let client = app.line(signed.token.clone());
        Self { app, token: signed.token, client, talk, epoch, disk: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.disk.path().join(name);
        std::fs::write(&path, bytes).expect("a write");
        path
    }

    fn id(&self) -> UploadId {
        self.app.acts().0.ids.next(self.app.clock.now())
    }

    async fn brings(&self, id: UploadId, path: &Path, kind: FileKind) -> Result<Uploaded, FileError> {
        let address = self.app.url("").parse().expect("an address");
        net::bring(&address, &self.token, self.talk.conversation, id, path, kind, |_| {}).await
    }

    async fn act(&mut self, act: Act) -> Answer {
        self.client.act(self.talk.conversation, act).await.expect("a line")
    }

    async fn newest(&self) -> Option<MessageId> {
        self.app.acts().thread(self.talk.conversation).await.newest
    }

    async fn send_act(&self, file: UploadId, caption: &str) -> Act {
        let (epoch, seen) = (self.epoch, self.newest().await);
        Act::SendFile { epoch, file, caption: caption.into(), seen, reply_to: None }
    }

    async fn sends(&mut self, file: UploadId, caption: &str) -> MessageId {
        let act = self.send_act(file, caption).await;
        match self.act(act).await {
            Answer::Done { message: Some(message), .. } => message,
            other => panic!("{other:?}"),
        }
    }

    /// Kind, words, bytes and type of what reached the customer with a file.
    fn reached(&self) -> Vec<(String, String, Vec<u8>, String)> {
        self.app.simulator.with(|world, _| {
            let whatsapp = &world.whatsapp;
            let files = whatsapp.ledger().reached().iter().filter(|one| one.person == self.talk.person);
            let with_bytes = files.filter_map(|one| {
                let (bytes, mime_type) = whatsapp.bytes(one.file.as_deref()?)?;
                Some((one.kind.clone(), one.text.clone(), bytes.to_vec(), mime_type))
            });
            with_bytes.collect()
        })
    }

    /// How often Meta was brought a file.
    fn journeys(&self) -> usize {
        self.app.simulator.with(|world, _| {
            let requests = world.whatsapp.ledger().requests().iter();
            requests.filter(|one| one.method == "POST" && one.path.ends_with("/media")).count()
        })
    }

    fn sends_to_meta(&self) -> usize {
        self.app.simulator.with(|world, _| {
            let requests = world.whatsapp.ledger().requests().iter();
            requests.filter(|one| one.opaque.is_some() && matches!(one.done, Done::Accepted { .. })).count()
        })
    }

    /// Files in the media store.
    fn kept(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
        }
        count(self.app.media_folder())
    }
}

on_both!(
    a_picture_goes_from_an_agents_disk_to_the_customers_phone,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let path = bench.file("my lamp.png", PNG);
        let told: Arc<Mutex<Vec<u64>>> = Arc::default();
        let heard = told.clone();
        let id = bench.id();
        let address = app.url("").parse().expect("an address");
        let moved = move |sent| heard.lock().expect("nobody panicked").push(sent);
        let brought =
            net::bring(&address, &bench.token, bench.talk.conversation, id, &path, FileKind::Image, moved).await;
        let expected =
            Uploaded { file: id, kind: FileKind::Image, mime_type: "image/png".into(), size: PNG.len() as u64 };
        assert_eq!(brought.expect("brought"), expected);
        assert_eq!(told.lock().expect("nobody panicked").last(), Some(&(PNG.len() as u64)));
        let sent = bench.sends(id, "like this one?").await;
        eventually("it reaches her", async || bench.reached().len() == 1).await;
        let there = ("image".to_owned(), "like this one?".to_owned(), PNG.to_vec(), "image/png".to_owned());
        assert_eq!(bench.reached(), [there]);
        assert!(app.acts().thread(bench.talk.conversation).await.unanswered_since.is_none(), "she is answered");
        // It can be opened like hers.
        let url = app.url(&format!("/api/v1/media/{sent}"));
        let again = app.client.get(url).bearer_auth(&bench.token).send().await.expect("an answer");
        assert_eq!(again.status(), StatusCode::OK);
        assert!(again.headers()["content-disposition"].to_str().expect("text").contains("my%20lamp.png"));
        assert_eq!(again.bytes().await.expect("bytes").as_ref(), PNG);
        let stored = app.acts().message(sent).await;
        assert_eq!(
            (stored.author, stored.kind.as_str(), stored.text.as_str()),
            (Author::Agent, "image", "like this one?")
        );
        let detail: baton_shared::content::Detail =
            serde_json::from_str(stored.detail.as_deref().expect("a detail")).expect("a detail");
        assert!(matches!(detail.content, Some(Content::Media(_))));
    }
);

on_both!(
    promise_5_a_file_that_comes_twice_is_sent_once,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let (path, id) = (bench.file("bill.pdf", PDF), bench.id());
        let first = bench.brings(id, &path, FileKind::Document).await.expect("brought");
        // The answer was lost: the client does it again, perhaps with other bytes by now.
        let path = bench.file("bill.pdf", b"%PDF-1.7 another bill");
        assert_eq!(bench.brings(id, &path, FileKind::Document).await.expect("brought"), first);
        assert_eq!(bench.kept(), 1);
        let act = bench.send_act(id, "").await;
        let command =
            |id| baton_shared::protocol::Command { id, conversation: bench.talk.conversation, act: act.clone() };
        let command = command(app.acts().0.ids.next(app.clock.now()));
        let mut answers = vec![];
        for _ in 0..2 {
            let asked = app.client.post(app.url("/api/v1/commands")).bearer_auth(&bench.token).json(&command);
            answers.push(asked.send().await.expect("an answer").text().await.expect("text"));
        }
        assert_eq!(answers[0], answers[1]);
        eventually("it reaches her", async || !bench.reached().is_empty()).await;
        let there = ("document".to_owned(), "bill.pdf".to_owned(), PDF.to_vec(), "application/pdf".to_owned());
        assert_eq!(bench.reached(), [there]);
        assert_eq!(bench.sends_to_meta(), 1);
        // The next words wait for nothing.
        let (epoch, seen) = (bench.epoch, bench.newest().await);
        bench.act(Act::Send { epoch, text: "That is all".into(), seen, reply_to: None }).await;
        eventually("they reach her", async || app.reached(bench.talk.person).contains(&"That is all".to_owned())).await;
        assert_eq!(bench.reached().len(), 1);
    }
);

on_both!(
    what_whatsapp_would_not_take_is_refused_with_its_name,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let large = bench.file("large.png", &[PNG, &vec![0; 5 << 20]].concat());
        let pdf = bench.file("bill.pdf", PDF);
        let empty = bench.file("nothing.txt", b"");
        for (path, kind, why) in [
            (
                &large,
                FileKind::Image,
                "The file has 5.1 MB: WhatsApp takes at most 5 MB for an image; send it as a document.",
            ),
            (&pdf, FileKind::Image, "WhatsApp takes JPEG or PNG for an image"),
            (&pdf, FileKind::Voice, "WhatsApp takes OGG with Opus for a voice message"),
            (&empty, FileKind::Document, "The file is empty."),
        ] {
            match bench.brings(bench.id(), path, kind).await {
                Err(FileError::Refused(found)) => assert!(found.contains(why), "{found}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.kept(), 0, "nothing of it is left");
        let id = bench.id();
        bench.brings(id, &large, FileKind::Document).await.expect("as a document it goes");
        for (file, caption, code) in [
            (id, "x".repeat(1_025), Refusal::Invalid),
            // Of nobody.
            (bench.id(), String::new(), Refusal::NotFound),
        ] {
            let act = bench.send_act(file, &caption).await;
            let answer = bench.act(act).await;
            assert!(matches!(answer, Answer::Refused { code: found, .. } if found == code), "{answer:?}");
        }
        let known = bench.brings(id, &large, FileKind::Document).await.expect("it is still there");
        assert_eq!(known.file, id);
        assert_eq!(bench.journeys(), 0);
    }
);

on_both!(
    promise_4_only_its_owner_brings_and_sends_a_file_and_nobody_blind,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let (path, id) = (bench.file("bill.pdf", PDF), bench.id());
        bench.brings(id, &path, FileKind::Document).await.expect("brought");
        // What is a colleague's cannot be named, also not by its id.
        let secret = app.add_agent("Leo").await;
        let address = app.url("").parse().expect("an address");
        let leo = net::sign_in(&address, &secret).await.expect("a sign-in");
        let his = app.taken("Bo", leo.me.id).await;
        let mut client = app.line(leo.token.clone());
        let thread = app.acts().thread(his.conversation).await;
        let act = Act::SendFile {
            epoch: thread.epoch,
            file: id,
            caption: String::new(),
            seen: thread.newest,
            reply_to: None,
        };
        let answer = client.act(his.conversation, act).await.expect("a line");
        assert!(matches!(answer, Answer::Refused { code: Refusal::NotFound, .. }), "{answer:?}");
        let refused =
            net::bring(&address, &leo.token, bench.talk.conversation, id, &path, FileKind::Document, |_| {}).await;
        assert!(matches!(&refused, Err(FileError::Refused(why)) if why.contains("A colleague has")), "{refused:?}");
        // She writes meanwhile: nothing is sent until that was seen.
        let act = bench.send_act(id, "the bill").await;
        let before = bench.newest().await;
        app.simulator.with(|world, now| world.whatsapp.say(now, bench.talk.person, Saying::text("wait")));
        eventually("her word is there", async || bench.newest().await != before).await;
        assert!(matches!(bench.act(act).await, Answer::WroteMeanwhile { .. }));
        bench.sends(id, "the bill").await;
        eventually("it reaches her", async || bench.reached().len() == 1).await;
    }
);

on_both!(
    a_file_waits_out_a_meta_that_is_away_and_keeps_its_place,
    app | app | {
        let mut app = app;
        let ana = {
            let mut bench = Bench::new(&app).await;
            let (path, id) = (bench.file("bill.pdf", PDF), bench.id());
            bench.brings(id, &path, FileKind::Document).await.expect("brought");
            app.simulator.with(|world, _| world.whatsapp.config_mut().faults.no_uploads = 1.0);
            let sent = bench.sends(id, "").await;
            let (epoch, seen) = (bench.epoch, bench.newest().await);
            bench.act(Act::Send { epoch, text: "And this".into(), seen, reply_to: None }).await;
            eventually("it was tried", async || bench.journeys() > 0).await;
            eventually("it says so", async || app.acts().message(sent).await.problem.is_some()).await;
            assert_eq!(app.acts().message(sent).await.delivery, Some(Delivery::Queued));
            assert!(bench.reached().is_empty() && app.reached(bench.talk.person).is_empty());
            (bench.talk.person, sent)
        };
        // The server dies with it; the next one goes on.
        app.crash().await;
        app.simulator.with(|world, _| world.whatsapp.config_mut().faults.no_uploads = 0.0);
        app.restart().await;
        let (person, sent) = ana;
        eventually("both reach her", async || app.reached(person).len() == 2).await;
        // In the order in which Meta took them; it may deliver in another one.
        let reached = app.simulator.with(|world, _| {
            let ledger = world.whatsapp.ledger();
            let of = |wamid: &str| ledger.reached().iter().find(|one| one.person == person && one.wamid == wamid);
            let taken = ledger.accepted().filter_map(|(_, wamid)| Some(of(wamid)?.text.clone()));
            taken.collect::<Vec<_>>()
        });
        assert_eq!(reached, ["bill.pdf", "And this"]);
        assert!(app.acts().message(sent).await.wamid.is_some());
    }
);

on_both!(
    what_meta_does_not_take_is_said_and_brought_anew_when_it_is_sent_again,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let (path, id) = (bench.file("lamp.png", PNG), bench.id());
        bench.brings(id, &path, FileKind::Image).await.expect("brought");
        app.simulator.with(|world, _| world.whatsapp.config_mut().faults.refused_uploads = 1.0);
        let sent = bench.sends(id, "").await;
        eventually("it fails", async || app.acts().message(sent).await.delivery == Some(Delivery::Failed)).await;
        assert_eq!(app.acts().message(sent).await.problem.as_deref(), Some("131053"));
        app.simulator.with(|world, _| world.whatsapp.config_mut().faults.refused_uploads = 0.0);
        let epoch = bench.epoch;
        let Answer::Done { message: Some(again), .. } = bench.act(Act::Resend { epoch, message: sent }).await else {
            panic!("not sent again")
        };
        eventually("it reaches her", async || bench.reached().len() == 1).await;
        let url = app.url(&format!("/api/v1/media/{again}"));
        let opened = app.client.get(url).bearer_auth(&bench.token).send().await.expect("an answer");
        assert_eq!(opened.bytes().await.expect("bytes").as_ref(), PNG);
    }
);

on_both!(
    a_file_that_nobody_sent_is_thrown_away_and_one_that_was_is_kept,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let (path, sent, forgotten) = (bench.file("bill.pdf", PDF), bench.id(), bench.id());
        for id in [sent, forgotten] {
            bench.brings(id, &path, FileKind::Document).await.expect("brought");
        }
        let sent = bench.sends(sent, "").await;
        eventually("it reaches her", async || bench.reached().len() == 1).await;
        assert_eq!(bench.kept(), 2);
        let mut context = app.acts().0.clone();
        context.clock =
            Arc::new(baton_shared::ManualClock::at(app.clock.now().plus(std::time::Duration::from_secs(25 * 3_600))));
        baton_server::operations::sweep(&context).await.expect("swept");
        assert_eq!(bench.kept(), 1);
        let url = app.url(&format!("/api/v1/media/{sent}"));
        let opened = app.client.get(url).bearer_auth(&bench.token).send().await.expect("an answer");
        assert_eq!(opened.bytes().await.expect("bytes").as_ref(), PDF);
        let state: serde_json::Value = app
            .client
            .get(app.url(&format!("/api/v1/conversations/{}", bench.talk.conversation)))
            .bearer_auth(&bench.token)
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("a thread");
        let shown = state["messages"].as_array().expect("messages").iter().find(|one| one["id"] == sent.to_string());
        let media = &shown.expect("the message")["body"]["detail"]["content"];
        assert_eq!(media["state"], MediaState::Stored.word());
        assert_eq!(media["size"], PDF.len());
    }
);

on_both!(
    a_picture_of_an_agents_has_a_small_one_and_both_are_forgotten_together,
    app | app | {
        let mut bench = Bench::new(&app).await;
        let (path, sent, forgotten) = (bench.file("mugs.png", MUGS), bench.id(), bench.id());
        for id in [sent, forgotten] {
            bench.brings(id, &path, FileKind::Image).await.expect("brought");
        }
        assert_eq!(bench.kept(), 4);
        let sent = bench.sends(sent, "these?").await;
        let address = app.url("").parse().expect("an address");
        let small = net::thumbnail(&address, &bench.token, sent).await.expect("a thumbnail");
        assert!(baton::picture::Picture::read(&small).is_some());
        let mut context = app.acts().0.clone();
        context.clock =
            Arc::new(baton_shared::ManualClock::at(app.clock.now().plus(std::time::Duration::from_secs(25 * 3_600))));
        baton_server::operations::sweep(&context).await.expect("swept");
        assert_eq!(bench.kept(), 2, "of the one that nobody sent nothing is left");
        net::thumbnail(&address, &bench.token, sent).await.expect("it is still there");
    }
);

on_both!(
    a_templates_header_is_a_file_of_the_agents,
    app | app | {
        let mut app = app;
        app.stop().await;
        app.simulator.with(|world, _| {
            let templates = &mut world.whatsapp.config_mut().accounts[0].templates;
            let mut pictured = templates[0].clone();
            let body = pictured.body.clone();
            pictured.name = "pictured".into();
            pictured.components = Some(serde_json::json!([
                {"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": body}]));
            templates.push(pictured);
        });
        app.restart().await;
        let (language, fields) = app.simulator.with(|world, _| {
            let known = &world.whatsapp.config().accounts[0].templates[0];
            (known.language.clone(), known.body.matches("{{").count())
        });
        let mut bench = Bench::new(&app).await;
        let (picture, bill) = (bench.file("lamp.png", PNG), bench.file("bill.pdf", PDF));
        let (image, document) = (bench.id(), bench.id());
        bench.brings(image, &picture, FileKind::Image).await.expect("brought");
        bench.brings(document, &bill, FileKind::Document).await.expect("brought");
        let (epoch, seen) = (bench.epoch, bench.newest().await);
        let act = |file| {
            let values = std::iter::once(template::file(file)).chain((0..fields).map(|field| format!("value {field}")));
            let template = Filled { name: "pictured".into(), language: language.clone(), values: values.collect() };
            Act::SendTemplate { epoch, template, seen }
        };
        // Synced from Meta at the start.
        let mut answer = bench.act(act(document)).await;
        while matches!(answer, Answer::Refused { code: Refusal::NotFound, .. }) {
            answer = bench.act(act(document)).await;
        }
        let Answer::Refused { code: Refusal::Invalid, why, .. } = answer else { panic!("{answer:?}") };
        assert!(why.contains("a file of the kind image"), "{why}");
        let sent = bench.act(act(image)).await;
        assert!(matches!(sent, Answer::Done { .. }), "{sent:?}");
        eventually("it reaches her", async || bench.reached().len() == 1).await;
        let (kind, _, bytes, mime_type) = bench.reached().remove(0);
        assert_eq!((kind.as_str(), bytes.as_slice(), mime_type.as_str()), ("template", PNG, "image/png"));
    }
);
