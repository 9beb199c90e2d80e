//! Files, from the webhook that names one to the bytes that an agent saves, on both engines.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request as Asked, State},
    response::Response,
};
use baton::{
    net::{self, FileError},
    picture::Picture,
};
use baton_server::{
    Context, Server,
    config::{AgentsSee, Secret, Settings},
    inbox::{LINK_KEY, new_secret, secret_hash},
    lifecycle::Lifecycle,
    media,
    store::{
        Urgency,
        agents::{self, Agent},
        channels,
        deliveries::Arrival,
        media::{self as files, Announced},
        messages, settings,
    },
    whatsapp::graph::{Graph, NoResponse, Pending, Request, Transport},
};
use baton_shared::{
    ConversationId, MessageId, Micros, Role,
    content::{Content, Detail, Media, MediaState},
    protocol::FileLink,
};
use baton_simulator::whatsapp::{Attachment, Lies, Person, Saying};
use baton_tests::{
    app::{App, eventually},
    bucket::Bucket,
    on_both, scene,
};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::StatusCode;
use sha2::Sha256;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0 and what follows";

/// A picture that can be decoded: 240 by 180 pixels.
const MUGS: &[u8] = include_bytes!("../../simulator/src/customers/files/two-mugs.png");

fn picture() -> Attachment {
    Attachment::new("image", "image/png", PNG)
}

/// A new customer sends a file.
async fn sends(app: &App, name: &str, attachment: Attachment) -> (MessageId, ConversationId) {
    let wamid = app.simulator.with(|world, now| {
        let number = world.whatsapp.people().len();
        let person = Person::new(name, &format!("1555{number:07}"), &format!("US.{number:010}"));
        let person = world.whatsapp.add_person(person);
        world.whatsapp.say(now, person, Saying::attached(attachment))
    });
    eventually("it is stored", async || found(app, &wamid).await.is_some()).await;
    found(app, &wamid).await.expect("stored a moment ago")
}

async fn found(app: &App, wamid: &str) -> Option<(MessageId, ConversationId)> {
    let found = messages::by_wamids(app.reader().await.conn(), [wamid]).await.expect("a read");
    found.into_iter().map(|(_, message, thread)| (message, thread)).next()
}

/// An agent's way through the API.
struct Desk<'a> {
    app: &'a App,
    token: String,
}

impl<'a> Desk<'a> {
    async fn new(app: &'a App, name: &str) -> Self {
        let address = app.url("").parse().expect("an address");
        let secret = app.add_agent(name).await;
        let token = baton::net::sign_in(&address, &secret).await.expect("a sign-in").token;
        Self { app, token }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.app.client.get(self.app.url(path)).bearer_auth(&self.token).send().await.expect("an answer")
    }

    /// The file of a message, as its thread shows it.
    async fn shown(&self, message: MessageId, thread: ConversationId) -> (Media, i64) {
        let thread: serde_json::Value =
            self.get(&format!("/api/v1/conversations/{thread}")).await.json().await.expect("a thread");
        let all = thread["messages"].as_array().expect("messages");
        let one = all.iter().find(|one| one["id"] == message.to_string()).expect("the message");
        let one: baton_shared::message::Message = serde_json::from_value(one.clone()).expect("a message");
        match one.body.detail.and_then(|detail| detail.content) {
            Some(Content::Media(media)) => (media, one.version),
            other => panic!("{other:?}"),
        }
    }

    /// The same, once it is in this state.
    async fn becomes(&self, state: MediaState, message: MessageId, thread: ConversationId) -> Media {
        eventually(state.word(), async || self.shown(message, thread).await.0.state == Some(state)).await;
        self.shown(message, thread).await.0
    }
}

/// Refused with a sentence in which this stands.
async fn is_refused(app: &App, attachment: Attachment, because: &str) {
    let desk = Desk::new(app, "Ana").await;
    let (message, thread) = sends(app, "Marina", attachment).await;
    let media = desk.becomes(MediaState::Refused, message, thread).await;
    let why = media.problem.expect("a sentence");
    assert!(why.contains(because), "{why}");
    assert_eq!(media.size, None);
    assert_eq!(kept(app), 0, "nothing of it is left");
}

/// How many files lie in the media store, whole or not.
fn kept(app: &App) -> usize {
    count(app.media_folder())
}

fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

on_both!(
    a_picture_is_fetched_and_its_message_says_so,
    app | app | {
        let desk = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", picture().saying("the lamp")).await;
        let media = desk.becomes(MediaState::Stored, message, thread).await;
        assert_eq!((media.size, media.thumbnail, media.problem), (Some(PNG.len() as i64), false, None));
        let (_, version) = desk.shown(message, thread).await;
        assert_eq!(version, 2, "a client that knows the first version takes the news");
        assert_eq!(kept(&app), 1);
        // A head alone cannot be made small.
        let thumbnail = desk.get(&format!("/api/v1/media/{message}/thumbnail")).await;
        assert_eq!(thumbnail.status(), StatusCode::NOT_FOUND);
    }
);

on_both!(
    a_picture_becomes_a_small_one_that_a_client_can_show,
    app | app | {
        let desk = Desk::new(&app, "Ana").await;
        for (kind, name) in [("image", "Marina"), ("sticker", "Tom")] {
            let (message, thread) = sends(&app, name, Attachment::new(kind, "image/png", MUGS)).await;
            assert!(desk.becomes(MediaState::Stored, message, thread).await.thumbnail, "{kind}");
            let address = app.url("").parse().expect("an address");
            let small = net::thumbnail(&address, &desk.token, message).await.expect("a thumbnail");
            let small = Picture::read(&small).expect("one that the client can show");
            assert_eq!(small.fitting(160, 100), (160, 60), "as wide to high as the large one");
            let answer = desk.get(&format!("/api/v1/media/{message}/thumbnail")).await;
            assert_eq!(answer.headers()["content-type"], "image/png");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
            let whole = desk.get(&format!("/api/v1/media/{message}")).await;
            assert_eq!(whole.bytes().await.expect("bytes").as_ref(), MUGS);
        }
        assert_eq!(kept(&app), 4, "each lies beside its file");
    }
);

on_both!(
    a_digest_that_lies_is_found_out,
    app | app | {
        let lies = Lies { digest: Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into()), ..Lies::default() };
        is_refused(&app, picture().lying(lies), "damaged").await;
    }
);

on_both!(
    a_type_that_lies_is_found_out,
    app | app | {
        let page = b"<!DOCTYPE html><html><script>alert(1)</script></html>".as_slice();
        is_refused(&app, Attachment::new("image", "image/png", page), "not what it claims").await;
    }
);

on_both!(
    the_token_is_not_carried_to_another_host,
    app | app | {
        let lies = Lies { redirect: Some("https://evil.example/x".into()), ..Lies::default() };
        is_refused(&app, picture().lying(lies), "foreign").await;
    }
);

on_both!(
    what_is_too_large_is_refused_whatever_is_said_of_it,
    app | app | {
        let mut app = app;
        is_refused(&app, picture().lying(Lies { size: Some(101 << 20), ..Lies::default() }), "larger").await;
        app.stop().await;
        let mut settings = app.settings();
        settings.media.limit = 1 << 20;
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));
        let large = Attachment::new("document", "application/pdf", vec![7; (1 << 20) + 1]);
        let desk = Desk::new(&app, "Bo").await;
        let (message, thread) = sends(&app, "Tom", large.lying(Lies { size: Some(5), ..Lies::default() })).await;
        desk.becomes(MediaState::Refused, message, thread).await;
        assert_eq!(kept(&app), 0);
    }
);

on_both!(
    an_id_that_is_gone_is_not_asked_for_for_ever,
    app | app | {
        let desk = Desk::new(&app, "Ana").await;
        // As if seven days had passed before anybody looked.
        let wamid = app.simulator.with(|world, now| {
            let person = world.whatsapp.add_person(Person::new("Marina", "15550001", "US.1"));
            world.whatsapp.say(
                now,
                person,
                Saying::other("image", serde_json::json!({"id": "77", "mime_type": "image/png"})),
            )
        });
        eventually("it is stored", async || found(&app, &wamid).await.is_some()).await;
        let (message, thread) = found(&app, &wamid).await.expect("stored a moment ago");
        let media = desk.becomes(MediaState::Gone, message, thread).await;
        assert!(media.problem.expect("a sentence").contains("send it again"));
    }
);

on_both!(
    an_address_that_expires_is_asked_for_again,
    app | app | {
        let life = |app: &App, life: Duration| {
            app.simulator.with(|world, _| std::mem::replace(&mut world.whatsapp.config_mut().pace.file_address, life))
        };
        let usual = life(&app, Duration::ZERO);
        let desk = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", picture()).await;
        eventually("it was tried in vain", async || {
            desk.shown(message, thread).await.0.problem.is_some_and(|why| why.contains("goes on trying"))
        })
        .await;
        life(&app, usual);
        desk.becomes(MediaState::Stored, message, thread).await;
    }
);

on_both!(
    a_restart_goes_on_where_it_was,
    app | app | {
        let mut app = app;
        app.simulator.with(|world, _| world.whatsapp.config_mut().pace.file_address = Duration::ZERO);
        let (message, thread) = sends(&app, "Marina", picture()).await;
        app.crash().await;
        app.simulator.with(|world, _| world.whatsapp.config_mut().pace.file_address = Duration::from_secs(299));
        app.restart().await;
        let desk = Desk::new(&app, "Ana").await;
        desk.becomes(MediaState::Stored, message, thread).await;
    }
);

on_both!(
    files_lie_in_a_bucket_and_wait_until_it_is_there,
    app | app | {
        let mut app = app;
        let bucket = Bucket::start().await;
        app.stop().await;
        app.bucket = Some(bucket.settings(Bucket::SECRET));
        app.restart().await;
        bucket.is_away(true);
        let (small, thread) = sends(&app, "Marina", picture()).await;
        let (mugs, third) = sends(&app, "Bo", Attachment::new("image", "image/png", MUGS)).await;
        // S3 takes it in three parts.
        let bytes: Vec<u8> = (0..(12 << 20) + 7).map(|place: u32| (place % 251) as u8).collect();
        let bill = Attachment::new("document", "application/pdf", bytes.clone());
        let (large, other) = sends(&app, "Tom", bill).await;
        let desk = Desk::new(&app, "Ana").await;
        eventually("it was tried in vain", async || desk.shown(small, thread).await.0.problem.is_some()).await;
        assert!(bucket.files().is_empty());
        bucket.is_away(false);
        desk.becomes(MediaState::Stored, small, thread).await;
        desk.becomes(MediaState::Stored, large, other).await;
        assert!(desk.becomes(MediaState::Stored, mugs, third).await.thumbnail);
        let names: Vec<String> = bucket.files().into_keys().collect();
        assert!(names.len() == 4 && names.iter().all(|name| name.starts_with("baton/media/")), "{names:?}");
        let got = async |message| desk.get(&format!("/api/v1/media/{message}")).await.bytes().await.expect("a file");
        assert_eq!(got(small).await, PNG);
        let thumbnail = desk.get(&format!("/api/v1/media/{mugs}/thumbnail")).await.bytes().await.expect("a file");
        assert!(Picture::read(&thumbnail).is_some());
        assert!(got(large).await == bytes, "what came out is what went in");
        assert_eq!(kept(&app), 0, "nothing lies in a folder");
    }
);

on_both!(
    a_bucket_with_another_key_keeps_nothing_and_says_so,
    app | app | {
        let mut app = app;
        let bucket = Bucket::start().await;
        app.stop().await;
        app.bucket = Some(bucket.settings("of somebody else"));
        app.restart().await;
        let desk = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", picture()).await;
        eventually("it was tried in vain", async || {
            desk.shown(message, thread).await.0.problem.is_some_and(|why| why.contains("tell whoever runs it"))
        })
        .await;
        assert!(bucket.files().is_empty());
    }
);

on_both!(
    a_name_with_folders_and_escapes_is_only_a_name,
    app | app | {
        let desk = Desk::new(&app, "Ana").await;
        let name = "../../etc/\u{1b}]0;x\u{7}b\u{202e}ill\r\nX-Evil: 1\".pdf";
        let bill = Attachment::new("document", "text/html", b"<script>alert(1)</script>".as_slice()).named(name);
        let (message, thread) = sends(&app, "Marina", bill).await;
        desk.becomes(MediaState::Stored, message, thread).await;
        let answer = desk.get(&format!("/api/v1/media/{message}")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers()[name].to_str().expect("printable").to_owned();
        let disposition = header("content-disposition");
        assert!(disposition.starts_with(&format!("attachment; filename=\"document-{message}\"")), "{disposition}");
        assert!(disposition.ends_with("; filename*=UTF-8''%5D0%3BxbillX-Evil%201.pdf"), "{disposition}");
        assert!(!answer.headers().contains_key("x-evil"));
        assert_eq!(
            (header("content-type").as_str(), header("x-content-type-options").as_str()),
            ("application/octet-stream", "nosniff")
        );
        assert_eq!(answer.bytes().await.expect("bytes").as_ref(), b"<script>alert(1)</script>");
        assert_eq!(kept(&app), 1);
        let folder = app.media_folder();
        let inside = std::fs::read_dir(folder).expect("a folder").flatten().next().expect("one").path();
        assert_eq!(inside.parent(), Some(folder));
    }
);

async fn link(desk: &Desk<'_>, message: MessageId) -> reqwest::Response {
    let url = desk.app.url(&format!("/api/v1/media/{message}/link"));
    desk.app.client.post(url).bearer_auth(&desk.token).send().await.expect("an answer")
}

/// As the server signs.
fn signed(key: &str, message: MessageId, until: Micros) -> String {
    let key = hex::decode(key).expect("hex");
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key will do");
    let proof = mac.chain_update(format!("file\n{message}\n{}", until.0)).finalize().into_bytes();
    format!("/api/v1/media/{message}?until={}&proof={}", until.0, hex::encode(proof))
}

on_both!(
    a_link_is_good_for_five_minutes_for_one_file_and_cannot_be_forged,
    app | app | {
        let desk = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", picture()).await;
        let (other, another) = sends(&app, "Tom", picture()).await;
        desk.becomes(MediaState::Stored, message, thread).await;
        desk.becomes(MediaState::Stored, other, another).await;
        let given: FileLink = link(&desk, message).await.json().await.expect("a link");
        let now = app.clock.now();
        assert!(given.until > now && given.until < now.plus(Duration::from_secs(301)));
        let anonymous = async |path: &str| app.client.get(app.url(path)).send().await.expect("an answer");
        let fetched = anonymous(&given.path).await;
        assert_eq!(fetched.headers()["content-type"], "image/png");
        assert_eq!(fetched.bytes().await.expect("bytes").as_ref(), PNG);
        let key = settings::get(app.reader().await.conn(), LINK_KEY).await.expect("a read").expect("a key");
        assert_eq!(signed(&key, message, given.until), given.path, "the test signs as the server does");
        let over = signed(&key, message, now.minus(Duration::from_secs(1)));
        let longer = given.path.replace(&given.until.0.to_string(), &(given.until.0 + 1).to_string());
        let elsewhere = given.path.replace(&message.to_string(), &other.to_string());
        let half = given.path.split("&proof").next().expect("a path").to_owned();
        let broken = format!("{half}&proof=zz");
        for wrong in [over, longer, elsewhere, half, broken, format!("{}00", given.path)] {
            assert_eq!(anonymous(&wrong).await.status(), StatusCode::FORBIDDEN, "{wrong}");
        }
        assert_eq!(anonymous(&format!("/api/v1/media/{message}")).await.status(), StatusCode::UNAUTHORIZED);
    }
);

on_both!(
    promise_11_nobody_gets_the_files_of_what_they_may_not_see,
    app | app | {
        let mut app = app;
        app.stop().await;
        let mut settings = app.settings();
        settings.inbox.agents_see = AgentsSee::Team;
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));
        let ana = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", Attachment::new("image", "image/png", MUGS)).await;
        ana.becomes(MediaState::Stored, message, thread).await;
        let (now, ids) = (app.clock.now(), &app.acts().0.ids);
        let owner = app.acts().add_agent("Cem").await;
        app.acts().take(thread, owner).await;
        let stranger = Agent {
            id: ids.next(now),
            name: "Bo".into(),
            role: Role::Agent,
            team: "south".into(),
            created_at: now,
            disabled_at: None,
        };
        let secret = new_secret(ids);
        let hash = secret_hash(&secret);
        let job = app.db().write(Urgency::First, move |tx| {
            let (stranger, hash) = (stranger.clone(), hash.clone());
            Box::pin(async move {
                for mut channel in channels::every(tx.conn()).await? {
                    channel.team = "north".into();
                    channels::put(tx, &channel).await?;
                }
                agents::insert(tx, &stranger, &hash).await
            })
        });
        job.await.expect("a write");
        let token =
            baton::net::sign_in(&app.url("").parse().expect("an address"), &secret).await.expect("a sign-in").token;
        let desk = Desk { app: &app, token };
        let thumbnail = format!("/api/v1/media/{message}/thumbnail");
        assert_eq!(desk.get(&format!("/api/v1/media/{message}")).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(desk.get(&thumbnail).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(ana.get(&thumbnail).await.status(), StatusCode::OK);
        assert_eq!(link(&desk, message).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(link(&ana, message).await.status(), StatusCode::OK);
    }
);

on_both!(
    the_client_saves_a_file_and_overwrites_nothing_by_itself,
    app | app | {
        let desk = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", picture()).await;
        let address = app.url("").parse().expect("an address");
        let early = net::save(&address, &desk.token, app.acts().0.ids.next(app.clock.now()), "x".as_ref(), false).await;
        assert!(matches!(early, Err(FileError::Refused(_))), "{early:?}");
        desk.becomes(MediaState::Stored, message, thread).await;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lamp.png");
        let save = async |replace| net::save(&address, &desk.token, message, &path, replace).await;
        assert_eq!(save(false).await.expect("saved"), PNG.len() as u64);
        assert_eq!(std::fs::read(&path).expect("a file"), PNG);
        std::fs::write(&path, "mine").expect("a write");
        assert!(matches!(save(false).await, Err(FileError::Exists)));
        assert_eq!(std::fs::read(&path).expect("a file"), b"mine");
        save(true).await.expect("saved");
        assert_eq!(std::fs::read(&path).expect("a file"), PNG);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no half file is left");
        let url = net::link(&address, &desk.token, message).await.expect("a link");
        assert_eq!(app.client.get(url).send().await.expect("an answer").bytes().await.expect("bytes").as_ref(), PNG);
    }
);

/// A provider between a business and Meta, as 360dialog describes itself: it takes a key of its own in a header of
/// its own, and has Meta's files at its own host under Meta's paths.
struct Provider {
    graph: String,
    metas: String,
    token: String,
    client: reqwest::Client,
}

const KEY: &str = "d360-api-key";

async fn ask_meta(State(provider): State<Arc<Provider>>, asked: Asked) -> Response {
    let answer = |status: StatusCode, body| Response::builder().status(status).body(body).expect("an answer");
    let has_key = asked.headers().get(KEY).is_some_and(|key| key == "the provider's key");
    if !has_key || asked.headers().contains_key("authorization") {
        return answer(StatusCode::UNAUTHORIZED, Body::empty());
    }
    let path = asked.uri().path_and_query().expect("a path").clone();
    let at = if path.path().starts_with("/whatsapp_business/") { &provider.metas } else { &provider.graph };
    let method = asked.method().clone();
    let body = axum::body::to_bytes(asked.into_body(), 1 << 20).await.expect("a body");
    let asked = provider.client.request(method, format!("{at}{path}")).bearer_auth(&provider.token).body(body);
    let found = asked.send().await.expect("the simulated Meta answers");
    answer(found.status(), Body::from(found.bytes().await.expect("a body")))
}

on_both!(
    a_providers_host_is_asked_for_the_files_that_meta_names,
    app | app | {
        let mut app = app;
        app.stop().await;
        let token = app.settings().whatsapp.channels[0].access_token.reveal().to_owned();
        let (graph, metas) = (app.simulator.graph_url(), app.simulator.base_url().to_owned());
        let provider = Arc::new(Provider { graph, metas, token, client: app.client.clone() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let routes = Router::new().fallback(ask_meta).with_state(provider);
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await });
        // What Meta answers names Meta's own host, which knows nothing of the provider's key.
        app.simulator.with(|world, _| world.whatsapp.config_mut().base_url = "https://lookaside.fbsbx.com".into());
        let mut settings = app.settings();
        let number = &mut settings.whatsapp.channels[0];
        number.graph_url = url;
        number.key_header = Some(http::HeaderName::from_static(KEY));
        number.access_token = Secret::new("the provider's key");
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));
        let desk = Desk::new(&app, "Ana").await;
        let (message, thread) = sends(&app, "Marina", picture()).await;
        desk.becomes(MediaState::Stored, message, thread).await;
        assert_eq!(desk.get(&format!("/api/v1/media/{message}")).await.bytes().await.expect("bytes").as_ref(), PNG);
        serving.shutdown().await;
    }
);

/// A Meta that is never there.
struct Nobody;

impl Transport for Nobody {
    fn send(&self, _: Request) -> Pending<'_> {
        Box::pin(async { Err(NoResponse::Unsent("refused".into())) })
    }
}

on_both!(a_file_that_cannot_be_had_is_given_up_when_meta_has_forgotten_it, |store| {
    let channel = scene::add_channel(&store, "1055").await;
    let detail = Detail { content: Some(Content::Media(Media::default())), ..Detail::default() };
    let image = Arrival {
        kind: "image".into(),
        detail: serde_json::to_string(&detail).ok(),
        file: Some(Announced { meta_id: Some("77".into()), ..Announced::default() }),
        ..scene::text(channel, "wamid.1", "15550001", store.moment().now.seconds())
    };
    scene::deliver(&store, vec![image]).await;
    let settings = Settings::load(None, &|_| None).expect("settings");
    let context = Context::new(store.db.clone(), store.clock.clone(), store.ids.clone(), settings).unwrap();
    let graph = Graph::new(Arc::new(Nobody), "http://127.0.0.1:1/v26.0", Secret::new("token"));
    let life = Lifecycle::default();
    life.spawn(media::run(context, HashMap::from([(channel, graph)]), life.stopping()));
    let file = async || {
        let mut reader = store.db.reader().await.expect("a reader");
        let message = messages::by_wamids(reader.conn(), ["wamid.1"]).await.expect("a read")[0].1;
        files::of(reader.conn(), &[message]).await.expect("a read").remove(0)
    };
    eventually("it was tried", async || file().await.problem.as_deref() == Some("unreachable")).await;
    store.advance(Duration::from_secs(2 * 3_600));
    eventually("and again", async || file().await.tries >= 2).await;
    assert_eq!(file().await.state, MediaState::Waiting);
    store.advance(Duration::from_secs(7 * 24 * 3_600));
    eventually("given up", async || file().await.state == MediaState::Failed).await;
    assert!(life.stop(Duration::from_secs(10)).await, "it ends when it is told to");
});
