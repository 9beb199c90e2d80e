-- What a message holds besides its text, as JSON; what it replies to; and what its author changed later.

alter table message add column detail text;
alter table message add column quoted text;

-- A reaction, an edit or a deletion: appended, never overwritten. Folded in the order of Meta's seconds
-- they are what a message looks like now; without them it is what was said at first.
create table amendment (
    id              uuid primary key not null,
    conversation_id uuid not null references conversation (id),
    -- Meta's id of the amendment itself; what makes it handled once.
    wamid           text not null unique,
    -- Meta's id of the message that it amends.
    target          text not null,
    kind            text not null check (kind in ('reaction', 'edit', 'revoke')),
    author          text not null check (author in ('customer', 'phone')),
    -- Who exactly, where several people are the other side: a user id or a phone.
    actor           text not null,
    -- An emoji, or the new text.
    text            text not null,
    detail          text,
    raw             text,
    second          bigint not null,
    arrived_at      bigint not null
);
create index amendment_target on amendment (target);
