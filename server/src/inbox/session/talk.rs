//! What a client asks for, one frame at a time.

use std::time::Duration;

use baton_shared::{
    ConversationId, Micros,
    message::Place,
    protocol::{ClientFrame, Command, ProblemCode, ServerFrame},
};
use tokio::time::{Instant, timeout};

use crate::store::{StoreError, Urgency, drafts};

use super::{
    super::{board, commands, roles::Right, thread, typing::Typing},
    GARBAGE_LIMIT, ONE_MORE_EVERY, OPEN_LIMIT, Session,
    wire::{End, Heard, Wire},
};

/// The longest draft that is kept, in characters: some messages' worth of notes.
const DRAFT_LIMIT: usize = 32 * 1024;

/// A command that takes longer waits for a lock that nobody lets go.
const COMMAND: Duration = Duration::from_secs(10);

const NOTHING_THERE: &str = "There is no such conversation that you may see.";

impl Session<'_> {
    pub(super) async fn heard(&mut self, wire: &mut Wire, heard: Heard) -> Result<(), End> {
        self.heard_at = Instant::now();
        let frame = match heard {
            Heard::Alive => return Ok(()),
            Heard::Unreadable => return self.garbage(wire).await,
            Heard::Frame(frame) => *frame,
        };
        self.garbage = 0;
        self.busy_until = self.busy_until.max(self.heard_at) + ONE_MORE_EVERY;
        match frame {
            ClientFrame::Hello { .. } => Err(End::Problem(ProblemCode::Order, "You have said hello already.".into())),
            ClientFrame::Here(doing) => {
                self.beacon.say(doing.viewing, doing.typing);
                self.typing.show(&self.hub.context, self.who.agent.id, doing).await;
                Ok(())
            }
            ClientFrame::Close { conversation } => {
                self.close(conversation);
                Ok(())
            }
            ClientFrame::Open { conversation } => self.open(wire, conversation).await,
            ClientFrame::History { conversation, before } => self.history(wire, conversation, before).await,
            ClientFrame::Templates { conversation } => self.templates(wire, conversation).await,
            ClientFrame::Board => self.board(wire).await,
            ClientFrame::Command(command) => self.command(wire, &command).await,
            ClientFrame::Draft { conversation, text, based_on } => {
                self.draft(wire, conversation, &text, based_on).await
            }
        }
    }

    async fn garbage(&mut self, wire: &mut Wire) -> Result<(), End> {
        self.garbage += 1;
        let why = "That was no frame: expected JSON as in docs/protocol.md.";
        if self.garbage >= GARBAGE_LIMIT {
            return Err(End::Problem(ProblemCode::Unreadable, why.into()));
        }
        problem(wire, ProblemCode::Unreadable, why).await
    }

    pub(super) async fn open(&mut self, wire: &mut Wire, conversation: ConversationId) -> Result<(), End> {
        if self.follower.opened().len() >= OPEN_LIMIT && !self.follower.opened().contains(&conversation) {
            return problem(wire, ProblemCode::Order, "Too many conversations are open: close one first.").await;
        }
        // First, so that nothing falls in between.
        self.opened.add(conversation);
        self.follower.open(conversation);
        match thread::open(&self.hub.context, self.follower.viewer(), conversation).await? {
            Some(thread) => wire.say(&ServerFrame::Thread(Box::new(thread))).await,
            None => {
                self.close(conversation);
                match thread::merged_into(&self.hub.context, self.follower.viewer(), conversation).await? {
                    Some(into) => wire.say(&ServerFrame::Merged { gone: conversation, into }).await,
                    None => problem(wire, ProblemCode::NotAllowed, NOTHING_THERE).await,
                }
            }
        }
    }

    fn close(&mut self, conversation: ConversationId) {
        self.follower.close(conversation);
        self.opened.remove(conversation);
    }

    async fn history(&mut self, wire: &mut Wire, conversation: ConversationId, before: Place) -> Result<(), End> {
        match thread::history(&self.hub.context, self.follower.viewer(), conversation, before).await? {
            Some(page) => wire.say(&page).await,
            None => problem(wire, ProblemCode::NotAllowed, NOTHING_THERE).await,
        }
    }

    async fn templates(&mut self, wire: &mut Wire, conversation: ConversationId) -> Result<(), End> {
        match thread::templates(&self.hub.context, self.follower.viewer(), conversation).await? {
            Some(templates) => wire.say(&ServerFrame::Templates { conversation, templates }).await,
            None => problem(wire, ProblemCode::NotAllowed, NOTHING_THERE).await,
        }
    }

    async fn board(&self, wire: &mut Wire) -> Result<(), End> {
        if !self.follower.viewer().may(Right::Reports) {
            return problem(wire, ProblemCode::NotAllowed, "The board is for supervisors and admins.").await;
        }
        let board = board::read(&self.hub.context).await?;
        wire.say(&ServerFrame::Board(Box::new(board))).await
    }

    async fn command(&mut self, wire: &mut Wire, command: &Command) -> Result<(), End> {
        // What is sent takes the sign away.
        self.typing = Typing::default();
        let executing = commands::execute(&self.hub.context, self.who.agent.id, command);
        // Nobody knows then whether it was done: the client comes back and gives it again.
        let answer = timeout(COMMAND, executing).await.map_err(|_| End::Store(StoreError::Busy))??;
        wire.say(&ServerFrame::Answer { id: command.id, answer }).await
    }

    async fn draft(
        &mut self,
        wire: &mut Wire,
        conversation: ConversationId,
        text: &str,
        based_on: i64,
    ) -> Result<(), End> {
        if text.chars().count() > DRAFT_LIMIT {
            return problem(wire, ProblemCode::Other, "The draft is too long to be kept on the server.").await;
        }
        if !self.may_write(conversation).await? {
            return problem(wire, ProblemCode::NotAllowed, NOTHING_THERE).await;
        }
        // PostgreSQL takes any character but this one.
        let text = text.replace('\0', "");
        let frame = match self.keep(conversation, text, based_on).await? {
            Ok(revision) => ServerFrame::DraftSaved { conversation, revision },
            Err(newer) => ServerFrame::DraftDiffers {
                conversation,
                revision: newer.revision,
                text: newer.text,
                written_at: newer.written_at,
            },
        };
        wire.say(&frame).await
    }

    async fn may_write(&self, conversation: ConversationId) -> Result<bool, End> {
        let viewer = self.follower.viewer();
        if !viewer.may(Right::Work) {
            return Ok(false);
        }
        let open = self.follower.opened().contains(&conversation);
        Ok(open || thread::may_see(&self.hub.context, viewer, conversation).await?)
    }

    async fn keep(
        &self,
        conversation: ConversationId,
        text: String,
        based_on: i64,
    ) -> Result<Result<i64, drafts::Draft>, End> {
        let (agent, now): (_, Micros) = (self.who.agent.id, self.hub.context.clock.now());
        let job = self.hub.context.db.write(Urgency::First, move |tx| {
            let text = text.clone();
            Box::pin(async move {
                match drafts::put(tx, agent, conversation, &text, based_on, now).await? {
                    // What was emptied by a send is no text that anybody could miss.
                    Err(stored) if stored.text.is_empty() => {
                        drafts::put(tx, agent, conversation, &text, stored.revision, now).await
                    }
                    kept => Ok(kept),
                }
            })
        });
        Ok(job.await?)
    }
}

async fn problem(wire: &mut Wire, code: ProblemCode, why: &str) -> Result<(), End> {
    wire.say(&ServerFrame::Problem { code, why: why.into(), fatal: false }).await
}
