-- A lower `seq` can commit after a higher one: readers order and resume by (xid, seq).
create table event (
    seq             bigint generated always as identity primary key,
    xid             xid8 not null default pg_current_xact_id(),
    at              bigint not null,
    kind            text not null,
    conversation_id uuid,
    message_id      uuid,
    agent_id        uuid,
    epoch           bigint,
    detail          text
);
create index event_place on event (xid, seq);
create index event_conversation on event (conversation_id, at);
