//! What both ends of Baton speak: ids, time, control, the window, messages and the frames of the
//! websocket. Nothing here does I/O.

pub mod clock;
pub mod content;
pub mod control;
pub mod costs;
pub mod file;
pub mod ids;
pub mod message;
pub mod offer;
pub mod protocol;
pub mod role;
pub mod split;
pub mod template;
pub mod window;

pub use clock::{Clock, ManualClock, Micros, Millis, SystemClock};
pub use control::{Control, Epoch};
pub use ids::{
    AgentId, AttemptId, ChannelId, CommandId, ConversationId, CustomerId, DeadLetterId, DocumentId, HandoffId, Ids,
    MessageId, ProposalId, SessionId, TurnId, UploadId,
};
pub use role::Role;
pub use window::Window;
