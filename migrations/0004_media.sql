-- The files of messages: what Meta says of each, and how far its bytes have come. The bytes themselves are
-- never in the database.
create table media (
    message_id      uuid primary key not null references message (id),
    conversation_id uuid not null references conversation (id),
    channel_id      uuid not null references channel (id),
    -- Meta's id, which dies after seven days; null if Meta named none.
    meta_id         text,
    kind            text not null,
    mime_type       text,
    -- SHA-256 in hex, as the webhook says.
    digest          text,
    -- As its sender named it: never a path.
    file_name       text,
    state           text not null check (state in ('waiting', 'stored', 'failed', 'gone', 'refused')),
    -- A code: why it is not here.
    problem         text,
    size            bigint,
    -- Where the bytes lie in the media store.
    place           text,
    -- Also the lease: whoever fetches compares it when done.
    tries           bigint not null,
    -- In the time of leases; of one that is being fetched, when somebody else may.
    next_try_at     bigint not null,
    created_at      bigint not null
);
create index media_waiting on media (next_try_at) where state = 'waiting';
