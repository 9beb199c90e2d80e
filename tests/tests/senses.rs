//! Voice messages and pictures, from the customer's phone to the bot's answer by what was heard and seen.

use std::sync::Arc;

use baton_server::store::{conversations::Conversation, handoffs, media, media::WordsState, messages};
use baton_shared::{
    Control, SystemClock,
    content::Content,
    message::{Author, Message},
};
use baton_simulator::{
    Model, ModelConfig, ModelServer, Span,
    model::ModelFaults,
    recording,
    whatsapp::{Attachment, Person, Saying},
};
use baton_tests::{
    app::{App, eventually},
    on_both,
};

const MUGS: &[u8] = include_bytes!("../../simulator/src/customers/files/two-mugs.png");

/// A server that hears and sees with a simulated provider.
struct Scene {
    app: App,
    provider: ModelServer,
}

impl Scene {
    async fn set(mut app: App) -> Self {
        let config = ModelConfig { latency: Span::millis(0, 5), ..ModelConfig::default() };
        let model = Model::new(config, fastrand::Rng::with_seed(1));
        let provider = ModelServer::start(model, Arc::new(SystemClock::default())).await.expect("a free port");
        let url = provider.base_url().to_owned();
        app.more = vec![
            ("OPENAI_API_KEY", "key".into()),
            ("ANTHROPIC_API_KEY", "key".into()),
            ("BATON_MODEL_PROVIDER", "anthropic".into()),
            ("BATON_MODEL_NAME", "simulated".into()),
            ("BATON_MODEL_BASE_URL", url.clone()),
            ("BATON_VISION_PROVIDER", "anthropic".into()),
            ("BATON_VISION_NAME", "eyes".into()),
            ("BATON_VISION_BASE_URL", url.clone()),
            ("BATON_TRANSCRIPTION_PROVIDER", "openai".into()),
            ("BATON_TRANSCRIPTION_NAME", "ears".into()),
            ("BATON_TRANSCRIPTION_BASE_URL", format!("{url}/v1")),
        ];
        app.stop().await;
        app.restart().await;
        Self { app, provider }
    }

    /// A new customer sends a file; where it is kept.
    async fn sends(&self, attachment: Attachment) -> (String, Conversation) {
        let wamid = self.app.simulator.with(|world, now| {
            let person = world.whatsapp.add_person(Person::new("Marina", "15550001", "US.15550001"));
            world.whatsapp.say(now, person, Saying::attached(attachment))
        });
        eventually("it is stored", async || self.app.acts().conversation_of(&wamid).await.is_some()).await;
        let thread = self.thread(&wamid).await;
        (wamid, thread)
    }

    async fn thread(&self, wamid: &str) -> Conversation {
        let id = self.app.acts().conversation_of(wamid).await.expect("it is stored");
        self.app.acts().thread(id).await
    }

    async fn answers(&self, thread: &Conversation) -> Vec<String> {
        let said = messages::said(self.app.reader().await.conn(), thread.id, 50).await.expect("a read");
        said.into_iter().filter(|one| one.author == Author::Bot).map(|one| one.text).collect()
    }

    /// What an agent's screen says was heard or seen in the customer's file.
    async fn words(&self, thread: &Conversation) -> Option<String> {
        let address = self.app.url("").parse().expect("an address");
        let secret = self.app.add_agent("Ana").await;
        let token = baton::net::sign_in(&address, &secret).await.expect("a sign-in").token;
        let path = self.app.url(&format!("/api/v1/conversations/{}", thread.id));
        let answer = self.app.client.get(path).bearer_auth(token).send().await.expect("an answer");
        let answer: serde_json::Value = answer.json().await.expect("a thread");
        let all: Vec<Message> = serde_json::from_value(answer["messages"].clone()).expect("messages");
        all.into_iter().find_map(|message| match message.body.detail?.content? {
            Content::Media(media) => media.words,
            _ => None,
        })
    }

    async fn state(&self, wamid: &str) -> Option<WordsState> {
        let mut reader = self.app.reader().await;
        let (_, message, _) = messages::by_wamids(reader.conn(), [wamid]).await.expect("a read").pop()?;
        media::of(reader.conn(), &[message]).await.expect("a read").pop()?.words_state
    }

    /// Why a person was called.
    async fn reason(&self, wamid: &str) -> String {
        let thread = self.thread(wamid).await;
        let found = handoffs::latest(self.app.reader().await.conn(), thread.id, 1).await.expect("a read");
        found.into_iter().next().expect("a handoff").reason
    }

    /// How often the provider was asked at this path.
    fn asked(&self, path: &str) -> usize {
        self.provider.with(|model| model.asked().iter().filter(|one| one.path.ends_with(path)).count())
    }
}

fn says(words: &str) -> Attachment {
    Attachment::new("audio", "audio/ogg; codecs=opus", recording::voice(words))
}

fn shows(words: &str) -> Attachment {
    Attachment::new("image", "image/png", recording::picture(MUGS, words))
}

on_both!(
    a_voice_message_is_answered_by_what_is_said_in_it,
    app | app | {
        let scene = Scene::set(app).await;
        let (_, thread) = scene.sends(says("When are you open?")).await;
        eventually("the bot answers", async || !scene.answers(&thread).await.is_empty()).await;
        assert!(scene.answers(&thread).await[0].contains("9:00"), "{:?}", scene.answers(&thread).await);
        assert_eq!(scene.words(&thread).await.as_deref(), Some("When are you open?"));
        assert_eq!(scene.asked("/audio/transcriptions"), 1, "it is heard once");
    }
);

on_both!(
    who_asks_for_a_person_aloud_gets_one,
    app | app | {
        let scene = Scene::set(app).await;
        let (wamid, _) = scene.sends(says("I want to talk to a person, please.")).await;
        eventually("a person is called", async || {
            matches!(scene.thread(&wamid).await.control, Control::Waiting { .. })
        })
        .await;
        assert_eq!(scene.reason(&wamid).await, "asked_for_human");
    }
);

on_both!(
    what_is_seen_in_a_picture_reaches_the_model_and_the_agent,
    app | app | {
        let scene = Scene::set(app).await;
        let (_, thread) = scene.sends(shows("A note that asks: when is the store open?").saying("see")).await;
        eventually("the model is asked about it", async || scene.asked("/v1/messages") >= 2).await;
        let words = scene.words(&thread).await;
        assert_eq!(words.as_deref(), Some("A note that asks: when is the store open?"));
    }
);

on_both!(
    a_recording_that_nobody_understands_goes_to_a_person_as_it_is,
    app | app | {
        let scene = Scene::set(app).await;
        let (wamid, thread) = scene.sends(says("")).await;
        eventually("a person is called", async || {
            matches!(scene.thread(&wamid).await.control, Control::Waiting { .. })
        })
        .await;
        assert_eq!(scene.state(&wamid).await, Some(WordsState::Failed));
        assert_eq!(scene.words(&thread).await, None);
        assert_eq!(scene.reason(&wamid).await, "cannot_read");
    }
);

on_both!(
    a_provider_that_fails_once_is_asked_again,
    app | app | {
        let scene = Scene::set(app).await;
        scene.provider.with(|model| model.config_mut().faults = ModelFaults { overloaded: 1.0, ..ModelFaults::none() });
        let (wamid, thread) = scene.sends(says("When are you open?")).await;
        eventually("it was asked in vain", async || scene.asked("/audio/transcriptions") > 0).await;
        scene.provider.with(|model| model.config_mut().faults = ModelFaults::none());
        eventually("it is heard", async || scene.state(&wamid).await == Some(WordsState::Read)).await;
        eventually("the bot answers", async || !scene.answers(&thread).await.is_empty()).await;
    }
);
