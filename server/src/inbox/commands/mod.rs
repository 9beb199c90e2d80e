//! Acts of agents: each is one transaction that holds the conversation, the effect and the answer.
//! A repeat, on any server, gets the answer of the first.

mod errand;
mod file;
mod forget;
mod later;
mod offer;
mod pass;
mod proposal;
mod read;
mod say;
mod settle;
mod split;
mod template;
mod words;

use baton_shared::{
    AgentId, ConversationId, Epoch, MessageId,
    protocol::{Act, Answer, Command, Refusal},
};
use sha2::{Digest, Sha256};

use crate::{
    Context,
    domain::control::{Refused, Who},
    store::{
        Moment, StoreError, Tx, Urgency,
        agents::{self, Agent},
        channels::{self, Channel},
        commands::{self, Known},
        conversations::{self, Conversation},
        events::{self, Event},
    },
};

use super::roles::{Viewer, may, right_of};

/// Does what `command` says on behalf of `agent`, or finds what became of it before.
///
/// # Errors
/// [`StoreError`] if nobody knows whether it was done: the same command may be given again.
pub async fn execute(context: &Context, agent: AgentId, command: &Command) -> Result<Answer, StoreError> {
    let (context_, command) = (context.clone(), command.clone());
    let hash = hash(&command);
    let job = context.db.write(Urgency::First, move |tx| {
        let (context, command, hash) = (context_.clone(), command.clone(), hash.clone());
        Box::pin(async move { once(tx, &context, agent, &command, hash).await })
    });
    job.await
}

/// Of everything in it: the same id with another body is another command.
fn hash(command: &Command) -> String {
    let body = serde_json::to_vec(command).unwrap_or_default();
    hex::encode(Sha256::digest(&body))
}

async fn once(
    tx: &mut Tx,
    context: &Context,
    agent: AgentId,
    command: &Command,
    hash: String,
) -> Result<Answer, StoreError> {
    if let Some(known) = commands::get(tx.conn(), agent, command.id).await? {
        return repeated(&known, &hash);
    }
    let answer = match decide(tx, context, agent, command).await {
        Ok(answer) => answer,
        Err(No::Refused { code, why, owner }) => Answer::Refused { code, why, owner },
        Err(No::Store(error)) => return Err(error),
    };
    let text = serde_json::to_string(&answer).map_err(|_| StoreError::Corrupt("an answer that is no JSON"))?;
    let known = Known { hash, answer: text };
    commands::insert(tx, agent, command.id, &known, context.clock.now()).await?;
    Ok(answer)
}

fn repeated(known: &Known, hash: &str) -> Result<Answer, StoreError> {
    if known.hash != hash {
        let why = "This command's id was used for another one before.".into();
        return Ok(Answer::Refused { code: Refusal::IdReused, why, owner: None });
    }
    serde_json::from_str(&known.answer).map_err(|_| StoreError::Corrupt("an answer that cannot be read"))
}

/// Why an act was not done; nothing has been written then.
#[derive(Debug)]
enum No {
    Refused { code: Refusal, why: String, owner: Option<AgentId> },
    Store(StoreError),
}

impl No {
    fn because(code: Refusal, why: impl Into<String>) -> Self {
        Self::Refused { code, why: why.into(), owner: None }
    }
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        Self::Refused { code: refused.code(), why: refused.to_string(), owner: refused.owner() }
    }
}

/// What every act works with; the conversation is locked.
struct Desk<'t> {
    tx: &'t mut Tx,
    context: &'t Context,
    at: Moment,
    agent: Agent,
    conversation: Conversation,
    channel: Channel,
}

async fn decide(tx: &mut Tx, context: &Context, agent: AgentId, command: &Command) -> Result<Answer, No> {
    // Read here, so that whoever was disabled a moment ago does nothing any more.
    let agent = agents::by_id(tx.conn(), agent).await?.filter(|agent| agent.disabled_at.is_none());
    let agent = agent.filter(|agent| may(agent.role, right_of(&command.act)));
    let agent = agent.ok_or_else(|| No::because(Refusal::NotAllowed, "Your role does not allow that."))?;
    let mut desk = open(tx, context, agent, command.conversation).await?;
    desk.check_epoch(&command.act)?;
    desk.act(&command.act).await
}

async fn open<'t>(
    tx: &'t mut Tx,
    context: &'t Context,
    agent: Agent,
    conversation: ConversationId,
) -> Result<Desk<'t>, No> {
    let nothing = || No::because(Refusal::NotFound, "There is no such conversation that you may see.");
    // Given in a conversation that has gone into another one: it is the same customer.
    let conversation = conversations::lock_present(tx, conversation).await?.ok_or_else(nothing)?;
    let channel = channels::by_id(tx.conn(), conversation.channel).await?;
    let channel = channel.ok_or(StoreError::Corrupt("a conversation without a channel"))?;
    let viewer = Viewer { agent, agents_see: context.settings.inbox.agents_see };
    if !viewer.sees(&conversation.control, &channel.team) {
        return Err(nothing());
    }
    Ok(Desk { tx, context, at: context.moment(), agent: viewer.agent, conversation, channel })
}

impl Desk<'_> {
    async fn act(&mut self, act: &Act) -> Result<Answer, No> {
        match act {
            Act::Take { .. } => self.take().await,
            Act::Assign { to, reason, .. } => self.assign(*to, reason).await,
            Act::Release { .. } => self.release().await,
            Act::HandBack { outcome, note, promised, .. } => self.hand_back(outcome, note, promised).await,
            Act::Resolve { outcome, .. } => self.resolve(outcome).await,
            Act::Escalate { reason, .. } => self.escalate(reason).await,
            Act::Split { .. } => self.split().await,
            Act::Forget {} => self.forget().await,
            Act::Thread { .. } | Act::Block { .. } => self.ask_meta(act).await,
            Act::Send { text, seen, reply_to, .. } => self.send(text, *seen, *reply_to).await,
            Act::SendWhenTheyWrite { text, .. } => self.send_when_they_write(text).await,
            Act::SendParts { text, parts, seen, reply_to, .. } => self.send_parts(text, *parts, *seen, *reply_to).await,
            Act::SendFile { file, caption, seen, reply_to, .. } => {
                self.send_file(*file, caption, *seen, *reply_to).await
            }
            Act::SendOffer { offer, seen, reply_to, .. } => self.send_offer(offer, *seen, *reply_to).await,
            Act::React { message, emoji, .. } => self.react(*message, emoji).await,
            Act::SendTemplate { template, seen, .. } => self.send_template(template, *seen).await,
            Act::Consent { granted, proof } => self.consent(*granted, proof).await,
            Act::Note { text } => self.note(text).await,
            Act::Resend { message, .. } => self.resend(*message).await,
            Act::Cancel { message } => self.cancel(*message).await,
            Act::UseProposal { proposal, text, seen, .. } => self.use_proposal(*proposal, text, *seen).await,
            Act::DropProposal { proposal } => self.drop_proposal(*proposal).await,
            Act::Read { through } => self.read(*through).await,
        }
    }

    /// What was decided on an older screen is not done. A take is: it asks for what the table allows now.
    fn check_epoch(&self, act: &Act) -> Result<(), No> {
        match on_screen(act) {
            Some(epoch) if epoch != self.conversation.epoch => Err(No::Refused {
                code: Refusal::Outdated,
                why: "This conversation has changed hands since you looked. Look again.".into(),
                owner: self.conversation.control.owner(),
            }),
            _ => Ok(()),
        }
    }

    const fn who(&self) -> Who {
        Who::Agent { id: self.agent.id, role: self.agent.role }
    }

    fn is_mine(&self) -> bool {
        self.conversation.control.owner() == Some(self.agent.id)
    }

    fn event(&self, kind: &'static str) -> Event {
        let event = Event::new(kind, self.at.now).of(self.conversation.id);
        event.by(Some(self.agent.id)).under(self.conversation.epoch)
    }

    async fn tell(&mut self, event: Event) -> Result<(), No> {
        Ok(events::append(self.tx, event).await?)
    }

    async fn save(&mut self) -> Result<(), No> {
        self.conversation.updated_at = self.at.now;
        Ok(conversations::save(self.tx, &self.conversation).await?)
    }

    const fn done(&self, message: Option<MessageId>) -> Answer {
        Answer::Done { epoch: self.conversation.epoch, message, last_bot_word: None, settles_by: None }
    }
}

/// The epoch that its author saw, for the acts that must not be done on another one.
const fn on_screen(act: &Act) -> Option<Epoch> {
    match act {
        Act::Assign { epoch, .. }
        | Act::Release { epoch }
        | Act::HandBack { epoch, .. }
        | Act::Resolve { epoch, .. }
        | Act::Escalate { epoch, .. }
        | Act::Split { epoch }
        | Act::Thread { epoch, .. }
        | Act::Block { epoch, .. }
        | Act::Send { epoch, .. }
        | Act::SendWhenTheyWrite { epoch, .. }
        | Act::SendParts { epoch, .. }
        | Act::SendFile { epoch, .. }
        | Act::SendOffer { epoch, .. }
        | Act::React { epoch, .. }
        | Act::SendTemplate { epoch, .. }
        | Act::Resend { epoch, .. }
        | Act::UseProposal { epoch, .. } => Some(*epoch),
        Act::Take { .. }
        | Act::Consent { .. }
        | Act::Forget {}
        | Act::Note { .. }
        | Act::Cancel { .. }
        | Act::DropProposal { .. }
        | Act::Read { .. } => None,
    }
}
