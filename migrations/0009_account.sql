-- What Meta says of numbers, accounts and prices, and what Baton asks Meta to do besides sending.

alter table channel add column quality text;
-- How many customers the business may write to first in a day, as Meta words it.
alter table channel add column messaging_limit text;
alter table channel add column per_second bigint not null default 80;
-- The business's own phone is on the same number: Meta allows it 20 messages a second, whatever else it says.
alter table channel add column coexistence boolean not null default false;
-- Why WhatsApp takes nothing from this number: a code; until when that is believed without asking again.
alter table channel add column hold text;
alter table channel add column hold_until bigint;

-- What is due came late: whoever writes now is answered first.
alter table conversation add column due_late boolean not null default false;
alter table customer add column blocked_at bigint;
-- When Meta was last asked what became of it.
alter table message add column looked_at bigint;
create index message_accepted on message (created_at) where delivery = 'accepted';

-- By Meta's id: a status may overtake the answer to our own request.
create table price (
    wamid      text not null,
    -- Of a group each recipient; else empty.
    recipient  text not null,
    channel_id uuid not null references channel (id),
    billable   boolean,
    model      text,
    type       text,
    category   text,
    -- What began the conversation, where Meta says it.
    origin     text,
    -- Until when a free entry point lasts, where Meta says it.
    free_until bigint,
    at         bigint not null,
    primary key (wamid, recipient)
);
create index price_channel on price (channel_id, at);

-- How far a message to a group has come at each of its members.
create table receipt (
    wamid     text not null,
    recipient text not null,
    state     text not null,
    -- What comes after it replaces it, however late it is told.
    step      bigint not null,
    code      bigint,
    at        bigint not null,
    primary key (wamid, recipient)
);

-- How each thing stands that Meta tells of accounts and numbers: the newest word on it.
create table standing (
    business_account_id text not null,
    -- Empty for what is about the account.
    phone_number_id     text not null,
    topic               text not null,
    -- A template's name and language, or empty.
    subject             text not null,
    -- A code, and Meta's own word.
    code                text not null,
    detail              text not null,
    weight              text not null check (weight in ('fine', 'warning', 'alarm')),
    at                  bigint not null,
    primary key (business_account_id, phone_number_id, topic, subject)
);

-- What Meta is asked for on behalf of a person: control of a thread, blocking a customer.
create table errand (
    id              uuid primary key not null,
    conversation_id uuid not null references conversation (id),
    channel_id      uuid not null references channel (id),
    agent_id        uuid not null,
    kind            text not null check (kind in ('pass', 'take', 'release', 'block', 'unblock')),
    state           text not null check (state in ('waiting', 'done', 'failed')),
    code            bigint,
    tries           bigint not null,
    -- In the time of leases; of one that is under way, when somebody else may.
    next_try_at     bigint not null,
    created_at      bigint not null
);
create index errand_waiting on errand (channel_id, next_try_at) where state = 'waiting';
create index errand_conversation on errand (conversation_id, created_at);
