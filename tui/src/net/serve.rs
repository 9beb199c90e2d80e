//! The client as a task of its own: requests in through one channel, what happens out through another.

use baton_shared::{
    ConversationId,
    message::Place,
    protocol::{ClientFrame, Command, Doing},
};
use tokio::sync::mpsc;

use super::{Client, NetEvent};

/// What the inbox asks of the line.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Command(Command),
    Open(ConversationId),
    /// How the numbers stand.
    Board,
    Close(ConversationId),
    History {
        conversation: ConversationId,
        before: Place,
    },
    Templates(ConversationId),
    Draft {
        conversation: ConversationId,
        text: String,
        based_on: i64,
    },
    Here(Doing),
    /// Somebody is waiting: try to connect now rather than later.
    Nudge,
}

/// Runs until the requests end, then says goodbye; or until the client stops for good.
pub async fn serve(mut client: Client, mut requests: mpsc::UnboundedReceiver<Request>, events: mpsc::Sender<NetEvent>) {
    loop {
        tokio::select! {
            biased;
            request = requests.recv() => match request {
                Some(request) => apply(&mut client, request),
                None => return client.close().await,
            },
            event = client.next() => {
                let Some(event) = event else { return };
                if events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn apply(client: &mut Client, request: Request) {
    match request {
        Request::Command(command) => client.submit(command),
        Request::Open(conversation) => client.open(conversation),
        Request::Board => {
            client.say(&ClientFrame::Board);
        }
        Request::Close(conversation) => client.close_conversation(conversation),
        Request::History { conversation, before } => {
            client.say(&ClientFrame::History { conversation, before });
        }
        Request::Templates(conversation) => {
            client.say(&ClientFrame::Templates { conversation });
        }
        Request::Draft { conversation, text, based_on } => {
            client.say(&ClientFrame::Draft { conversation, text, based_on });
        }
        Request::Here(doing) => client.here(doing),
        Request::Nudge => client.nudge(),
    }
}
