-- What the business has written down, and the bot answers from.
create table document (
    id         uuid primary key not null,
    -- An absolute path, or an http or https address.
    source     text not null unique,
    -- As agents and models are shown it.
    name       text not null,
    -- Null until it was read once.
    kind       text check (kind in ('markdown', 'text', 'html', 'pdf', 'docx', 'csv')),
    -- Two letters; empty until it was read once.
    language   text not null,
    -- The name of the only channel whose customers are told of it; empty for all.
    channel    text not null,
    -- Of the bytes that were read last: SHA-256 in hex, and what the web server calls them.
    digest     text,
    etag       text,
    -- `stale`: what was read before is still used, for the newest cannot be read.
    state      text not null check (state in ('new', 'ready', 'stale', 'broken')),
    problem    text,
    -- Which of its chunks count: those of other readings are being written, or left over.
    reading    bigint not null,
    chunks     bigint not null,
    -- That of all knowledge (setting `knowledge`) when it last changed.
    version    bigint not null,
    read_at    bigint,
    looked_at  bigint not null,
    created_at bigint not null
);

create table chunk (
    document_id uuid not null references document (id),
    reading     bigint not null,
    place       bigint not null,
    heading     text not null,
    body        text not null,
    -- What made the vector: little-endian floats of 32 bits.
    embedder    text,
    vector      bytea,
    primary key (document_id, reading, place)
);
