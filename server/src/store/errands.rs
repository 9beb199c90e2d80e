//! What Meta is asked for on behalf of a person: control of a thread, blocking a customer. Asked again if nobody
//! knows what came of it: all of it may be asked for twice.

use baton_shared::{
    AgentId, ChannelId, Control, ConversationId, Ids, Micros, Role,
    protocol::{Act, ThreadAction},
};
use uuid::Uuid;

use crate::domain::control::{Step, Who};

use super::{
    Conn, Moment, Sql, StoreError, Tx,
    control::{self, Because},
    conversations::{self, Conversation},
    customers,
    engine::on,
    events::{self, Event},
    outbox::{self, Recipient},
    wakes::Topic,
};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// The thread goes to the business's other app.
    Pass,
    /// The thread comes to us.
    Take,
    /// The thread is nobody's until the customer writes.
    Release,
    Block,
    Unblock,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Take => "take",
            Self::Release => "release",
            Self::Block => "block",
            Self::Unblock => "unblock",
        }
    }

    /// Of an act, if Meta has to be asked for it.
    pub const fn of(act: &Act) -> Option<Self> {
        match act {
            Act::Thread { action: ThreadAction::Pass, .. } => Some(Self::Pass),
            Act::Thread { action: ThreadAction::Take, .. } => Some(Self::Take),
            Act::Thread { action: ThreadAction::Release, .. } => Some(Self::Release),
            Act::Block { blocked: true, .. } => Some(Self::Block),
            Act::Block { blocked: false, .. } => Some(Self::Unblock),
            _ => None,
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Errand {
    pub id: Uuid,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    #[sqlx(rename = "agent_id")]
    pub agent: AgentId,
    pub kind: Kind,
    /// Also the lease: whoever asks compares it when done.
    pub tries: i64,
}

/// What came of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Meta's error code.
    Refused(i64),
    /// It may or may not have been done.
    Unanswered,
}

const TRIES: i64 = 4;
const AGAIN_AFTER: std::time::Duration = std::time::Duration::from_secs(15);

const INSERT: Sql = Sql::Both(
    "insert into errand (id, conversation_id, channel_id, agent_id, kind, state, tries, next_try_at, created_at) \
     values ($1, $2, $3, $4, $5, 'waiting', 0, $6, $7)",
);
const WAITS: Sql =
    Sql::Both("select count(*) from errand where channel_id = $1 and state = 'waiting' and next_try_at <= $2");
const UNDER_WAY: Sql = Sql::Both("select count(*) from errand where conversation_id = $1 and state = 'waiting'");
const TAKE: Sql = Sql::Both(
    "update errand set tries = tries + 1, next_try_at = $3 where id in (select id from errand \
     where channel_id = $1 and state = 'waiting' and next_try_at <= $2 order by next_try_at limit 16) \
     returning id, conversation_id, agent_id, kind, tries",
);
const END: Sql =
    Sql::Both("update errand set state = $3, code = $4 where id = $1 and tries = $2 and state = 'waiting'");

pub const ALL: &[&Sql] = &[&INSERT, &WAITS, &UNDER_WAY, &TAKE, &END];

/// The event of what Meta refused; its detail is what was asked for and the code.
pub const REFUSED: &str = "errand_refused";
pub const BLOCKED: &str = "blocked";
pub const UNBLOCKED: &str = "unblocked";

/// Whether something is being asked for already.
pub async fn is_under_way(conn: Conn<'_>, conversation: ConversationId) -> Result<bool, StoreError> {
    let count: i64 = on!(conn, UNDER_WAY, |c, sql| sqlx::query_scalar(sql).bind(conversation).fetch_one(c).await)?;
    Ok(count > 0)
}

pub async fn insert(
    tx: &mut Tx,
    id: Uuid,
    thread: &Conversation,
    agent: AgentId,
    kind: Kind,
    at: Moment,
) -> Result<(), StoreError> {
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(id)
            .bind(thread.id)
            .bind(thread.channel)
            .bind(agent)
            .bind(kind)
            .bind(at.time)
            .bind(at.now)
            .execute(c)
            .await
            .map(drop)
    })?;
    tx.wake(Topic::Outbox);
    Ok(())
}

/// Whether any of a channel is due at `time` (of leases).
pub async fn waits(conn: Conn<'_>, channel: ChannelId, time: Micros) -> Result<bool, StoreError> {
    let count: i64 = on!(conn, WAITS, |c, sql| sqlx::query_scalar(sql).bind(channel).bind(time).fetch_one(c).await)?;
    Ok(count > 0)
}

/// Those that are due; nobody else has them until then.
pub async fn take(tx: &mut Tx, channel: ChannelId, at: Moment) -> Result<Vec<Errand>, StoreError> {
    let until = at.time_in(AGAIN_AFTER);
    Ok(on!(tx.conn(), TAKE, |c, sql| sqlx::query_as(sql).bind(channel).bind(at.time).bind(until).fetch_all(c).await)?)
}

/// About whom it is.
pub async fn recipient(tx: &mut Tx, errand: &Errand) -> Result<Recipient, StoreError> {
    let Some(thread) = conversations::lock_present(tx, errand.conversation).await? else {
        return Ok(Recipient::default());
    };
    outbox::recipient(tx, &thread).await
}

/// Stores what came of it, and does what follows from it here.
pub async fn settle(tx: &mut Tx, errand: &Errand, outcome: Outcome, at: Moment, ids: &Ids) -> Result<(), StoreError> {
    let Some(mut thread) = conversations::lock_present(tx, errand.conversation).await? else { return Ok(()) };
    let (state, code) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Refused(code) => ("failed", Some(code)),
        Outcome::Unanswered if errand.tries < TRIES => return Ok(()),
        Outcome::Unanswered => ("failed", None),
    };
    let ended = on!(tx.conn(), END, |c, sql| {
        let query = sqlx::query(sql).bind(errand.id).bind(errand.tries).bind(state).bind(code);
        query.execute(c).await.map(|done| done.rows_affected())
    })?;
    if ended == 0 {
        return Ok(());
    }
    let event = |kind| Event::new(kind, at.now).of(thread.id).by(Some(errand.agent)).under(thread.epoch);
    if outcome == Outcome::Done {
        done(tx, &mut thread, errand, at, ids).await?;
    } else {
        let code = code.map_or_else(|| "no_answer".into(), |code| code.to_string());
        events::append(tx, event(REFUSED).because(format!("{} {code}", errand.kind.word()))).await?;
    }
    thread.updated_at = at.now;
    conversations::save(tx, &thread).await
}

async fn done(
    tx: &mut Tx,
    thread: &mut Conversation,
    errand: &Errand,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let who = Who::Agent { id: errand.agent, role: Role::Supervisor };
    match errand.kind {
        Kind::Take => {
            let step = Step::Take { granted_elsewhere: true };
            pass(tx, thread, step, who, "thread_granted", at, ids).await
        }
        Kind::Pass | Kind::Release => pass(tx, thread, Step::GoElsewhere, Who::Meta, errand.kind.word(), at, ids).await,
        Kind::Block => {
            set_blocked(tx, thread, Some(at.now)).await?;
            // Nobody owes them an answer any more.
            thread.unanswered_since = None;
            thread.forget_turn();
            if !matches!(thread.control, Control::Resolved { .. } | Control::Elsewhere) {
                pass(tx, thread, Step::Resolve, who, BLOCKED, at, ids).await?;
            }
            tell(tx, thread, errand, BLOCKED, at).await
        }
        Kind::Unblock => {
            set_blocked(tx, thread, None).await?;
            tell(tx, thread, errand, UNBLOCKED, at).await
        }
    }
}

async fn set_blocked(tx: &mut Tx, thread: &Conversation, at: Option<Micros>) -> Result<(), StoreError> {
    match thread.customer {
        Some(customer) => customers::set_blocked(tx, customer, at).await,
        None => Ok(()),
    }
}

async fn tell(
    tx: &mut Tx,
    thread: &Conversation,
    errand: &Errand,
    kind: &'static str,
    at: Moment,
) -> Result<(), StoreError> {
    events::append(tx, Event::new(kind, at.now).of(thread.id).by(Some(errand.agent)).under(thread.epoch)).await
}

async fn pass(
    tx: &mut Tx,
    thread: &mut Conversation,
    step: Step,
    who: Who,
    why: &str,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    if let Err(refused) = control::pass(tx, thread, step, who, &Because::reason(why), at, ids).await? {
        tracing::debug!(conversation = %thread.id, %refused, "Meta did it, and here it had no step");
    }
    Ok(())
}
