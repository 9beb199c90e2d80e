//! Actors on a stage: each runs alone until it stands before a door (a store call, the wire), and
//! goes on only when it is told. So one seed decides everything that happens, in what order.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use baton_server::store::gate::{Gate, Point};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

tokio::task_local! {
    static ACTOR: u64;
}

/// Where an actor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Store(Point),
    /// The request is about to be written.
    Request,
    /// The other side has answered, or will not.
    Answer,
}

enum News {
    Stands(u64, Door, oneshot::Sender<()>),
    Left(u64),
}

/// The doors: part of the server under test, through [`Gate`] and the transports.
#[derive(Debug)]
pub struct Doors {
    news: mpsc::UnboundedSender<News>,
}

impl Doors {
    /// Waits to be let through. Whoever is no actor (the set-up, a check) goes through at once.
    pub async fn stand(&self, door: Door) {
        let Ok(actor) = ACTOR.try_with(|actor| *actor) else { return };
        let (go, told) = oneshot::channel();
        if self.news.send(News::Stands(actor, door, go)).is_ok() {
            // A stage that is gone lets nobody through: this actor crashed.
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Gate for Doors {
    fn pass(&self, point: Point) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.stand(Door::Store(point)))
    }
}

struct Actor {
    name: String,
    task: JoinHandle<()>,
    stands: Option<(Door, oneshot::Sender<()>)>,
}

/// Who is on stage.
pub struct Stage {
    doors: Arc<Doors>,
    news: mpsc::UnboundedReceiver<News>,
    actors: BTreeMap<u64, Actor>,
    entered: u64,
}

/// An actor that neither reaches a door nor leaves within this waits for something that nobody does.
const HANGS: Duration = Duration::from_secs(30);

impl Default for Stage {
    fn default() -> Self {
        let (sender, news) = mpsc::unbounded_channel();
        Self { doors: Arc::new(Doors { news: sender }), news, actors: BTreeMap::new(), entered: 0 }
    }
}

impl Stage {
    pub fn doors(&self) -> Arc<Doors> {
        self.doors.clone()
    }

    pub fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    /// Those that wait to go on, in the order in which they entered.
    pub fn waiting(&self) -> Vec<u64> {
        self.actors.keys().copied().collect()
    }

    /// A new actor plays up to its first door.
    pub async fn enter(&mut self, name: String, play: impl Future<Output = ()> + 'static) {
        self.entered += 1;
        let (actor, news) = (self.entered, self.doors.news.clone());
        let task = tokio::task::spawn_local(ACTOR.scope(actor, async move {
            play.await;
            // The stage may be gone.
            let _ = news.send(News::Left(actor));
        }));
        self.actors.insert(actor, Actor { name, task, stands: None });
        self.listen(actor).await;
    }

    /// The actor goes through its door, and plays up to the next; says who it is and what it did.
    pub async fn go_on(&mut self, actor: u64) -> String {
        let Some(standing) = self.actors.get_mut(&actor) else { return "nobody".into() };
        let line = match standing.stands.take() {
            Some((door, go)) => {
                let line = format!("{} passes {door:?}", standing.name);
                // It may have been cut off by its own task's end.
                let _ = go.send(());
                line
            }
            None => return format!("{} stands nowhere", standing.name),
        };
        self.listen(actor).await;
        line
    }

    /// Everybody drops dead where they stand; what they had not committed never happened.
    pub async fn crash(&mut self) {
        for (_, actor) in std::mem::take(&mut self.actors) {
            actor.task.abort();
            let _ = actor.task.await;
        }
        while self.news.try_recv().is_ok() {}
    }

    async fn listen(&mut self, actor: u64) {
        let news = tokio::time::timeout(HANGS, self.news.recv()).await;
        match news {
            Ok(Some(News::Stands(who, door, go))) if who == actor => {
                if let Some(standing) = self.actors.get_mut(&who) {
                    standing.stands = Some((door, go));
                }
            }
            Ok(Some(News::Left(who))) if who == actor => {
                let left = self.actors.remove(&who);
                if let Some(left) = left
                    && let Err(panic) = left.task.await
                {
                    std::panic::resume_unwind(panic.into_panic());
                }
            }
            Ok(_) => panic!("two actors at once on stage"),
            Err(_) => {
                let name = self.actors.get(&actor).map_or("somebody", |actor| actor.name.as_str());
                let dead = self.actors.get(&actor).is_some_and(|actor| actor.task.is_finished());
                panic!("{name} {}", if dead { "panicked" } else { "hangs between two doors" });
            }
        }
    }
}
