-- Files that agents brought and no message names yet. Their bytes are in the media store.
create table upload (
    agent_id        uuid not null references agent (id),
    -- Made by the client: what makes a file stored once, however often it is sent.
    id              uuid not null,
    conversation_id uuid not null references conversation (id),
    kind            text not null check (kind in ('image', 'video', 'audio', 'voice', 'document', 'sticker')),
    mime_type       text not null,
    file_name       text,
    -- SHA-256 in hex.
    digest          text not null,
    size            bigint not null,
    place           text not null,
    created_at      bigint not null,
    primary key (agent_id, id)
);
create index upload_created on upload (created_at);

-- Until when `meta_id` is good for sending; null for what came from Meta.
alter table media add column meta_until bigint;
create index media_place on media (place) where place is not null;

-- Words that wait until the customer has written.
create index message_until on message (channel_id) where delivery = 'held' and problem = 'until_they_write';
