//! `baton send`: one reply from standard input.

use std::io::Write;

use baton_shared::{
    ConversationId, MessageId,
    message::Author,
    protocol::{Act, Answer, ServerFrame},
};

use super::{Format, Output, PATIENCE, PipeError, Present};
use crate::net::{Client, NetEvent};

/// Sends `text`, with the conversation's newest message as what its author has seen.
pub async fn send<W: Write>(
    client: &mut Client,
    present: &Present,
    conversation: ConversationId,
    text: String,
    output: &mut Output<W>,
) -> Result<(), PipeError> {
    if text.trim().is_empty() {
        return Err(PipeError::Nothing);
    }
    let late = |_| PipeError::NoAnswer("the server is silent".into());
    let seen = tokio::time::timeout(PATIENCE, newest(client, conversation)).await.map_err(late)??;
    let epoch = present.rows[&conversation].epoch;
    let sending = client.act(conversation, Act::Send { epoch, text, seen, reply_to: None });
    let answer = tokio::time::timeout(PATIENCE, sending).await.map_err(late)??;
    match answer {
        Answer::Done { .. } if output.format == Format::Json => Ok(output.json(&answer)?),
        Answer::Done { .. } => Ok(output.line("sent")?),
        Answer::WroteMeanwhile { .. } => {
            Err(PipeError::Refused("the customer wrote meanwhile; look, then send again".into()))
        }
        Answer::Refused { why, .. } => Err(PipeError::Refused(crate::text::Clean::line(&why).to_string())),
    }
}

/// The customer's newest message.
async fn newest(client: &mut Client, conversation: ConversationId) -> Result<Option<MessageId>, PipeError> {
    client.open(conversation);
    loop {
        match client.next().await {
            Some(NetEvent::Frame(frame)) => {
                if let ServerFrame::Thread(thread) = *frame
                    && thread.row.conversation == conversation
                {
                    let customers = thread.messages.iter().filter(|message| message.author == Author::Customer);
                    let newest = customers.max_by_key(|message| (message.place.arrived_at, message.place.index));
                    return Ok(newest.map(|message| message.id));
                }
            }
            Some(NetEvent::Stopped(stop)) => return Err(stop.into()),
            Some(_) => {}
            None => return Err(PipeError::NoAnswer("the line has ended".into())),
        }
    }
}
