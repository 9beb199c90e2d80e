//! What the store knows of a conversation, read for one turn.

use std::collections::HashMap;

use baton_shared::{
    AgentId, MessageId, Micros,
    content::MediaState,
    message::{Author, Delivery},
};

use super::{
    context::{HumanStretch, Said, TurnContext},
    memory::VERBATIM,
    senses,
};
use crate::{
    Context,
    domain::amended::{self, Change},
    store::{
        Reader, StoreError, agents, amendments,
        channels::Channel,
        conversations::Conversation,
        customers,
        handoffs::{self, Handoff},
        media::{self, Media, WordsState},
        memory::{self, Digest},
        messages::{self, Stored},
    },
};

/// Said verbatim to a model, at the most.
const SAID: i64 = 30;
const STRETCHES: i64 = 5;

/// What a turn is made from.
pub(super) struct Read {
    pub(super) turn: TurnContext,
    /// Whether the bot may answer at all.
    pub(super) bot_on: bool,
    /// A file that the customer sent just now is not in words yet, but soon may be.
    pub(super) too_early: bool,
}

/// Everything that a decision about a leased turn needs.
pub(super) async fn read_context(
    context: &Context,
    thread: &Conversation,
    channel: &Channel,
) -> Result<Read, StoreError> {
    let book = context.settings.book_of(&channel.phone_number_id);
    let mut reader = context.db.snapshot().await?;
    let customer = match thread.customer {
        Some(customer) => customers::by_id(reader.conn(), customer).await?,
        None => None,
    };
    let said = messages::said(reader.conn(), thread.id, SAID).await?;
    let mut changes = amendments::changes(reader.conn(), &said).await?;
    let said = said.into_iter().map(|one| {
        let changes = one.wamid.as_deref().and_then(|wamid| changes.remove(wamid)).unwrap_or_default();
        as_it_is_now(one, &changes)
    });
    let said: Vec<Stored> = said.collect();
    let is_long = i64::try_from(said.len()).is_ok_and(|count| count >= SAID);
    let digest = match is_long {
        true => memory::digest(reader.conn(), thread.id).await?,
        false => None,
    };
    let known = match thread.customer {
        Some(customer) => memory::facts(reader.conn(), customer).await?,
        None => Vec::new(),
    };
    let said = not_in(digest.as_ref(), said, thread.unanswered_since);
    let files = Files::of(&mut reader, context, &said).await?;
    let handoffs = handoffs::latest(reader.conn(), thread.id, STRETCHES).await?;
    let names: HashMap<AgentId, String> =
        agents::every(reader.conn()).await?.into_iter().map(|agent| (agent.id, agent.name)).collect();
    let late_after = book.playbook.late.after;
    let is_late = |one: &Stored| {
        let waits =
            one.author == Author::Customer && thread.unanswered_since.is_some_and(|since| one.arrived_at >= since);
        waits && one.arrived_at.since(Micros::from_seconds(one.second)) > late_after
    };
    let late = said.iter().any(is_late);
    let too_early = said.iter().any(|one| {
        let waits =
            one.author == Author::Customer && thread.unanswered_since.is_some_and(|since| one.arrived_at >= since);
        waits && files.are_coming(one, context.clock.now())
    });
    let given_back =
        handoffs.iter().filter(|handoff| handoff.went_to_the_bot()).max_by_key(|one| one.closed_at).cloned();
    let until = given_back.as_ref().and_then(|handoff| handoff.closed_at);
    let said: Vec<Said> =
        said.into_iter().map(|one| say(one, thread.unanswered_since, until, &names, &files)).collect();
    let settled = given_back.is_some_and(|handoff| handoff.owes_no_answer()) && thread.unread == 0 && !is_lost(&said);
    let turn = TurnContext {
        channel: channel.name.clone(),
        customer_name: customer.map(|customer| customer.name).filter(|name| !name.is_empty()),
        language: thread.language.as_deref().and_then(|code| code.parse().ok()),
        earlier: digest.map(|digest| digest.text),
        known: known.into_iter().map(|fact| (fact.key, fact.value)).collect(),
        is_long,
        said,
        stretches: handoffs.into_iter().rev().filter_map(|handoff| stretch(handoff, &names)).collect(),
        unresolved_turns: u32::try_from(thread.unresolved).unwrap_or(u32::MAX),
        late,
        settled,
    };
    Ok(Read { turn, bot_on: book.may_speak && channel.bot_on, too_early })
}

/// The files of what was said, as far as somebody puts such files in words.
struct Files(HashMap<MessageId, Media>);

impl Files {
    async fn of(reader: &mut Reader, context: &Context, said: &[Stored]) -> Result<Self, StoreError> {
        let read = |one: &&Stored| one.author == Author::Customer && context.settings.senses.read(&one.kind);
        let ids: Vec<MessageId> = said.iter().filter(read).map(|one| one.id).collect();
        if ids.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        Ok(Self(media::of(reader.conn(), &ids).await?.into_iter().map(|file| (file.message, file)).collect()))
    }

    fn words(&self, message: MessageId) -> Option<&str> {
        self.0.get(&message)?.words.as_deref()
    }

    /// Whether it may be in words soon.
    fn are_coming(&self, message: &Stored, now: Micros) -> bool {
        let is_coming = self.0.get(&message.id).is_some_and(|file| {
            file.state == MediaState::Waiting
                || file.state == MediaState::Stored && file.words_state == Some(WordsState::Waiting)
        });
        is_coming && now.since(message.arrived_at) < senses::PATIENCE
    }
}

/// The newest are given word for word also if they are in the digest, and so is what waits for an answer.
fn not_in(digest: Option<&Digest>, said: Vec<Stored>, unanswered_since: Option<Micros>) -> Vec<Stored> {
    let Some(digest) = digest else { return said };
    let old = said.len().saturating_sub(VERBATIM);
    let is_told = |(at, one): &(usize, Stored)| {
        let waits = unanswered_since.is_some_and(|since| one.arrived_at >= since);
        *at >= old || waits || one.in_thread() > digest.through()
    };
    said.into_iter().enumerate().filter(is_told).map(|(_, one)| one).collect()
}

/// What was edited reads as it is now; what was deleted is not to be answered word by word.
fn as_it_is_now(one: Stored, changes: &[Change]) -> Stored {
    let looks = amended::fold(one.author, one.text, one.detail, changes);
    let text = if looks.revoked_at.is_some() { "(deleted by its author)".into() } else { looks.text };
    Stored { text, detail: looks.detail, ..one }
}

/// Whether a person's answer to what waits may not have arrived: they believe that they have answered.
fn is_lost(said: &[Said]) -> bool {
    let since = said.iter().skip_while(|one| !one.unanswered);
    since.filter(|one| one.author == Author::Agent).any(|one| one.may_not_have_arrived)
}

fn say(
    one: Stored,
    unanswered_since: Option<Micros>,
    given_back: Option<Micros>,
    names: &HashMap<AgentId, String>,
    files: &Files,
) -> Said {
    let words = files.words(one.id).map(str::to_owned);
    let (heard, seen) = if one.kind == "audio" { (words, None) } else { (None, words) };
    let unanswered = one.author == Author::Customer && unanswered_since.is_some_and(|since| one.arrived_at >= since);
    Said {
        author: one.author,
        agent: one.agent.and_then(|agent| names.get(&agent).cloned()),
        unanswered,
        given_back: unanswered && given_back.is_some_and(|until| one.arrived_at < until),
        may_not_have_arrived: matches!(
            one.delivery,
            Some(Delivery::Failed | Delivery::Unknown | Delivery::Held | Delivery::Cancelled)
        ),
        at: Micros::from_seconds(one.second),
        kind: one.kind,
        text: heard.unwrap_or(one.text),
        seen,
    }
}

/// Only a handoff that somebody took and that is over.
fn stretch(handoff: Handoff, names: &HashMap<AgentId, String>) -> Option<HumanStretch> {
    Some(HumanStretch {
        by: handoff.agent.and_then(|agent| names.get(&agent).cloned()).unwrap_or_else(|| "a colleague".into()),
        from: handoff.taken_at?,
        to: handoff.closed_at?,
        outcome: handoff.outcome,
        note: handoff.note.filter(|note| !note.is_empty()),
        promised: handoff.promised.filter(|promised| !promised.is_empty()),
    })
}
