-- What customers agreed to, with the time and the proof: appended, the newest counts.

create table consent (
    id          uuid primary key not null,
    customer_id uuid not null references customer (id),
    topic       text not null check (topic in ('marketing')),
    granted     boolean not null,
    -- Meta's own signal, a word of the customer's, or what an agent recorded.
    source      text not null check (source in ('meta', 'word', 'agent')),
    -- The message or signal that says so, or an agent's words.
    proof       text not null,
    agent_id    uuid,
    at          bigint not null,
    unique (customer_id, topic, source, proof, at)
);
create index consent_customer on consent (customer_id, topic, at);
