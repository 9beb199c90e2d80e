-- What the bot remembers: a conversation's past in a few lines, and what is true of a customer for years.

create table digest (
    conversation_id uuid primary key not null references conversation (id),
    text            text not null,
    -- The place of the newest message that is in it.
    second          bigint not null,
    arrived_at      bigint not null,
    place           bigint not null,
    -- Grows with every one: an older one never replaces a newer. 0: there is none yet.
    revision        bigint not null,
    lease           bigint not null,
    -- In the time of leases: from when on it is to be written, or written by somebody else.
    due_at          bigint
);
create index digest_due on digest (due_at) where due_at is not null;

create table fact (
    customer_id uuid not null references customer (id),
    key         text not null,
    value       text not null,
    -- The customer's words that it was taken from.
    message_id  uuid references message (id),
    learnt_at   bigint not null,
    primary key (customer_id, key)
);
