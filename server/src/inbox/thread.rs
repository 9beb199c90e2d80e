//! One conversation's pages: the newest with its card, older ones by their place.

use baton_shared::{
    ConversationId, Micros,
    message::{Message, Place},
    protocol::{Draft, FRAME_LIMIT, Mark, ServerFrame, Thread},
    template::Template,
};

use crate::{
    Context,
    store::{
        Conn, StoreError, channels, control, conversations, drafts,
        events::{self, Appended},
        mergers,
        messages::{self, Stored},
        rows::{self, Seen},
        templates,
    },
};

use super::{batch::card, roles::Viewer, view};

/// So many messages are a page.
const PAGE: usize = 50;

/// An account has 250, or 6,000 if it is verified; nobody picks from so many.
const TEMPLATES: i64 = 500;

/// Of texts in a page, in bytes: written as JSON they may become several times as long.
const TEXT_LIMIT: usize = FRAME_LIMIT / 8;

const NEWEST: Place = Place { second: i64::MAX, arrived_at: Micros::MAX, index: i64::MAX };

/// The newest page with everything around it; `None` if there is none that the viewer may see.
pub async fn open(context: &Context, viewer: &Viewer, id: ConversationId) -> Result<Option<Thread>, StoreError> {
    let mut reader = context.db.snapshot().await?;
    let Some(seen) = visible(reader.conn(), context, viewer, id).await? else { return Ok(None) };
    let page = page(reader.conn(), id, NEWEST).await?;
    let card = card(reader.conn(), id, seen.row.version).await?;
    let draft = drafts::get(reader.conn(), viewer.id(), id).await?.filter(|draft| !draft.text.is_empty());
    let draft = draft.map(|draft| Draft { text: draft.text, revision: draft.revision, written_at: draft.written_at });
    let Page { messages, marks, more } = page;
    Ok(Some(Thread { row: seen.row, messages, marks, more, card, draft }))
}

/// The page before a place; `None` if there is no such conversation that the viewer may see.
pub async fn history(
    context: &Context,
    viewer: &Viewer,
    conversation: ConversationId,
    before: Place,
) -> Result<Option<ServerFrame>, StoreError> {
    let mut reader = context.db.snapshot().await?;
    if visible(reader.conn(), context, viewer, conversation).await?.is_none() {
        return Ok(None);
    }
    let Page { messages, marks, more } = page(reader.conn(), conversation, before).await?;
    Ok(Some(ServerFrame::History { conversation, messages, marks, more }))
}

/// The templates of the number that this conversation is on, by name; `None` if there is no such
/// conversation that the viewer may see.
pub async fn templates(
    context: &Context,
    viewer: &Viewer,
    conversation: ConversationId,
) -> Result<Option<Vec<Template>>, StoreError> {
    let mut reader = context.db.snapshot().await?;
    let Some(seen) = visible(reader.conn(), context, viewer, conversation).await? else { return Ok(None) };
    let Some(channel) = channels::by_id(reader.conn(), seen.channel).await? else { return Ok(None) };
    let stored = templates::of_account(reader.conn(), &channel.business_account_id, TEMPLATES).await?;
    Ok(Some(stored.into_iter().map(view::template).collect()))
}

/// Where a conversation is now that has gone into another one which the viewer may see.
pub(super) async fn merged_into(
    context: &Context,
    viewer: &Viewer,
    id: ConversationId,
) -> Result<Option<ConversationId>, StoreError> {
    let mut reader = context.db.snapshot().await?;
    let mut into = None;
    let mut found = conversations::by_id(reader.conn(), id).await?;
    while let Some(next) = found.and_then(|one| one.merged_into) {
        into = Some(next);
        found = conversations::by_id(reader.conn(), next).await?;
    }
    let Some(into) = into else { return Ok(None) };
    Ok(visible(reader.conn(), context, viewer, into).await?.map(|seen| seen.row.conversation))
}

/// Whether the viewer may see it.
pub(super) async fn may_see(context: &Context, viewer: &Viewer, id: ConversationId) -> Result<bool, StoreError> {
    let mut reader = context.db.reader().await?;
    Ok(visible(reader.conn(), context, viewer, id).await?.is_some())
}

async fn visible(
    conn: Conn<'_>,
    context: &Context,
    viewer: &Viewer,
    id: ConversationId,
) -> Result<Option<Seen>, StoreError> {
    let found = rows::by_ids(conn, &[id], context.moment()).await?.pop();
    Ok(found.filter(|seen| viewer.sees_row(seen)))
}

struct Page {
    messages: Vec<Message>,
    marks: Vec<Mark>,
    more: bool,
}

/// The marks belong to the seconds between the oldest message of this page and that of the page after.
async fn page(mut conn: Conn<'_>, id: ConversationId, before: Place) -> Result<Page, StoreError> {
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut stored = messages::page(conn.again(), id, before, limit).await?;
    let fits = fitting(&stored);
    let more = stored.len() > fits;
    stored.drain(..stored.len() - fits);
    let from = stored.first().filter(|_| more).map_or(Micros(0), |oldest| Micros::from_seconds(oldest.second));
    let until = Micros::from_seconds(before.second);
    let mut of = mergers::sources(conn.again(), id).await?;
    of.push(id);
    let marks = events::of_conversations(conn.again(), &of, control::KINDS, from, until).await?;
    Ok(Page { messages: view::messages(conn, stored).await?, marks: marks.into_iter().map(mark).collect(), more })
}

/// How many of the newest are a page: fewer if they are so long that no frame could hold them.
fn fitting(stored: &[Stored]) -> usize {
    let mut bytes = 0;
    let fit = stored.iter().rev().take(PAGE).take_while(|message| {
        bytes += message.text.len();
        bytes <= TEXT_LIMIT
    });
    fit.count().max(1).min(stored.len())
}

fn mark(event: Appended) -> Mark {
    // Of a merger it is an id.
    let detail = event.detail.filter(|code| !code.is_empty() && event.kind != mergers::MERGED);
    Mark { at: event.at, kind: event.kind, agent: event.agent, detail }
}
