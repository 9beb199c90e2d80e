-- One text for both engines. Ids are UUIDs made by us, times are microseconds since 1970, enums are
-- checked text. `bytea`, `uuid` and `boolean` mean blob and integer to SQLite.

create table setting (
    key   text primary key not null,
    value text not null
);

create table channel (
    id                  uuid primary key not null,
    app                 text not null,
    phone_number_id     text not null unique,
    business_account_id text not null,
    name                text not null,
    team                text not null default '',
    -- The bot may answer.
    bot_on              boolean not null,
    -- Anything may be sent at all.
    sending_on          boolean not null,
    -- How far Graph's clock is ahead of ours.
    clock_offset        bigint not null default 0,
    -- One server at a time drives a channel's outbox.
    lease               bigint not null default 0,
    lease_until         bigint not null default 0,
    heard_at            bigint
);

create table customer (
    id         uuid primary key not null,
    name       text not null,
    username   text,
    created_at bigint not null
);

create table alias (
    -- A user id means something within a portfolio only; so do the phones that came with it.
    scope       text not null,
    kind        text not null check (kind in ('user', 'phone')),
    value       text not null,
    customer_id uuid not null references customer (id),
    primary key (scope, kind, value)
);
create index alias_customer on alias (customer_id);

create table conversation (
    id               uuid primary key not null,
    channel_id       uuid not null references channel (id),
    customer_id      uuid references customer (id),
    group_id         text,
    control          text not null check (control in ('bot', 'waiting', 'agent', 'phone', 'elsewhere', 'resolved')),
    owner            uuid,
    -- Since, until or at, as the control has it.
    control_moment   bigint,
    epoch            bigint not null,
    episode          bigint not null,
    -- Since when a person has been needed; survives take and release.
    waiting_since    bigint,
    window_closes_at bigint,
    window_overruled boolean not null,
    -- The bot's turn.
    due_at           bigint,
    due_since        bigint,
    lease            bigint not null,
    lease_until      bigint not null,
    begun_again      bigint not null,
    unresolved       bigint not null,
    language         text,
    -- The customer's newest message by arrival, and the youngest place in the thread.
    newest           uuid,
    newest_second    bigint not null,
    unanswered_since bigint,
    unread           bigint not null,
    last_message     uuid,
    handoff          uuid,
    -- When a lost agent's conversation goes back to the queue.
    returns_at       bigint,
    -- A read mark that waits to be sent, with typing if the bot is at work.
    mark_wamid       text,
    mark_typing      boolean not null,
    version          bigint not null,
    created_at       bigint not null,
    updated_at       bigint not null,
    check ((control = 'agent') = (owner is not null)),
    check ((customer_id is null) <> (group_id is null)),
    unique (channel_id, customer_id),
    unique (channel_id, group_id)
);
create index conversation_due on conversation (control, due_at) where due_at is not null;
create index conversation_control on conversation (control, updated_at);
create index conversation_returns on conversation (returns_at) where returns_at is not null;
create index conversation_mark on conversation (channel_id) where mark_wamid is not null;
create index conversation_updated on conversation (updated_at);
create index conversation_customer on conversation (customer_id);
create index conversation_group on conversation (group_id) where group_id is not null;

create table message (
    id              uuid primary key not null,
    conversation_id uuid not null references conversation (id),
    channel_id      uuid not null references channel (id),
    author          text not null check (author in ('customer', 'bot', 'agent', 'phone', 'system', 'note')),
    agent_id        uuid,
    -- Meta's id; what makes a message handled once.
    wamid           text unique,
    kind            text not null,
    text            text not null,
    -- The element as it came, for what is not plain text.
    raw             text,
    second          bigint not null,
    arrived_at      bigint not null,
    place           bigint not null,
    late            boolean not null,
    delivery        text check (delivery in ('queued', 'sending', 'accepted', 'sent', 'delivered', 'read', 'played', 'held', 'cancelled', 'failed', 'unknown')),
    -- The fence: the epoch under which a bot's or the system's word was queued.
    epoch           bigint,
    turn_id         uuid,
    -- Since when the customer had waited for it: the wait goes on if it never arrives.
    answers         bigint,
    attempts        bigint not null,
    attempt_id      uuid,
    -- `sending`: when the request must be over. `unknown`: when the next one may go.
    deadline        bigint,
    first_try_at    bigint,
    next_try_at     bigint,
    -- A code: what is wrong.
    problem         text,
    -- A person must look at it.
    trouble         boolean not null,
    -- The message that this one sends again.
    resends         uuid,
    version         bigint not null,
    created_at      bigint not null
);
create index message_thread on message (conversation_id, second, arrived_at, place);
create index message_outbox on message (channel_id, next_try_at) where delivery = 'queued';
create index message_moving on message (conversation_id, arrived_at, place) where delivery in ('queued', 'sending', 'unknown');
create index message_deadline on message (deadline) where delivery = 'sending';
create index message_unsettled on message (next_try_at) where delivery = 'unknown';
create index message_trouble on message (conversation_id) where trouble;

create table attempt (
    -- Travels as `biz_opaque_callback_data`.
    id         uuid primary key not null,
    message_id uuid not null references message (id),
    channel_id uuid not null references channel (id),
    number     bigint not null,
    started_at bigint not null,
    ended_at   bigint,
    outcome    text check (outcome in ('accepted', 'retry', 'failed', 'unknown', 'unsent')),
    code       bigint
);
create index attempt_message on attempt (message_id);
create index attempt_channel on attempt (channel_id, started_at);

-- Statuses that overtook our own response: kept, matched later.
create table early_status (
    id         uuid primary key not null,
    wamid      text not null,
    attempt_id uuid,
    state      text not null,
    at         bigint not null,
    code       bigint,
    arrived_at bigint not null
);
create index early_status_wamid on early_status (wamid);
create index early_status_attempt on early_status (attempt_id);

create table turn (
    id              uuid primary key not null,
    conversation_id uuid not null references conversation (id),
    began_at        bigint not null,
    ended_at        bigint not null,
    outcome         text not null check (outcome in ('sent', 'proposed', 'dropped', 'handed_off', 'quiet')),
    -- A code: the reason of a handoff, of a drop or of silence.
    why             text,
    intent          text,
    confidence      bigint,
    model           text,
    tokens_in       bigint not null,
    tokens_out      bigint not null
);
create index turn_conversation on turn (conversation_id, ended_at);

create table handoff (
    id              uuid primary key not null,
    conversation_id uuid not null references conversation (id),
    reason          text not null,
    summary         text not null,
    opened_at       bigint not null,
    taken_at        bigint,
    agent_id        uuid,
    closed_at       bigint,
    outcome         text,
    note            text,
    promised        text
);
create index handoff_conversation on handoff (conversation_id, opened_at);

create table proposal (
    id              uuid primary key not null,
    conversation_id uuid not null references conversation (id),
    text            text not null,
    origin          text not null,
    confidence      bigint,
    made_at         bigint not null,
    decided_at      bigint,
    decision        text check (decision in ('used', 'dropped', 'outdated')),
    agent_id        uuid
);
create index proposal_conversation on proposal (conversation_id, made_at);
create index proposal_open on proposal (conversation_id) where decided_at is null;

create table agent (
    id          uuid primary key not null,
    name        text not null unique,
    role        text not null check (role in ('agent', 'supervisor', 'admin')),
    team        text not null default '',
    -- The one-time secret, hashed; gone once used.
    secret_hash text unique,
    created_at  bigint not null,
    disabled_at bigint
);

create table session (
    id         uuid primary key not null,
    agent_id   uuid not null references agent (id),
    token_hash text not null unique,
    created_at bigint not null,
    -- To the hour; a sign-in that is not used for long ends.
    used_at    bigint not null,
    ended_at   bigint
);
create index session_agent on session (agent_id);

create table presence (
    -- One of an agent's connections.
    id         uuid primary key not null,
    session_id uuid not null references session (id),
    agent_id   uuid not null references agent (id),
    viewing    uuid,
    typing     boolean not null,
    -- In the time of leases, not on the wall.
    renewed_at bigint not null
);
create index presence_agent on presence (agent_id);

create table draft (
    agent_id        uuid not null references agent (id),
    conversation_id uuid not null references conversation (id),
    text            text not null,
    revision        bigint not null,
    written_at      bigint not null,
    primary key (agent_id, conversation_id)
);

create table command (
    agent_id uuid not null references agent (id),
    id       uuid not null,
    -- Of the whole command: the same id with another body is an error.
    hash     text not null,
    answer   text not null,
    at       bigint not null,
    primary key (agent_id, id)
);
create index command_at on command (at);

create table dead_letter (
    id          uuid primary key not null,
    app         text not null,
    reason      text not null,
    body        bytea not null,
    arrived_at  bigint not null,
    replayed_at bigint
);

-- What Meta says about accounts, numbers and templates, as it came.
create table notice (
    id         uuid primary key not null,
    app        text not null,
    channel_id uuid references channel (id),
    field      text not null,
    kind       text not null,
    raw        text not null,
    arrived_at bigint not null
);
