-- `seq` follows commit order: there is one writer.
create table event (
    seq             integer primary key autoincrement,
    xid             bigint not null default 0,
    at              bigint not null,
    kind            text not null,
    conversation_id uuid,
    message_id      uuid,
    agent_id        uuid,
    epoch           bigint,
    detail          text
);
create index event_conversation on event (conversation_id, at);
