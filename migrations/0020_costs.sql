-- What models were asked for and what it cost; no words.
create table model_call (
    id              uuid primary key not null,
    -- The background has none.
    turn_id         uuid,
    conversation_id uuid not null references conversation (id),
    channel_id      uuid not null references channel (id),
    -- A code: what it was asked for.
    purpose         text not null,
    intent          text,
    provider        text not null,
    model           text not null,
    began_at        bigint not null,
    took            bigint not null,
    tokens_in       bigint not null,
    tokens_cached   bigint not null,
    tokens_out      bigint not null,
    -- In billionths of a dollar; nothing where nobody has said what the model costs.
    cost            bigint,
    -- A code; nothing if the answer was used.
    failure         text
);
create index model_call_at on model_call (began_at);
create index model_call_conversation on model_call (conversation_id);
create index price_at on price (at);

-- What is spent and set aside of the caps, in billionths of a dollar.
create table spending (
    scope  text not null check (scope in ('customer_day', 'channel_month')),
    owner  uuid not null,
    -- `2026-11-20` or `2026-11`, in UTC.
    period text not null,
    nanos  bigint not null,
    primary key (scope, owner, period)
);
