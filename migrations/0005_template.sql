-- What Meta has of the account's message templates, as of the last look.

create table template (
    business_account_id text not null,
    name                text not null,
    language            text not null,
    category            text not null,
    status              text not null,
    quality             text,
    -- Header, body, footer and buttons, as JSON from Meta.
    components          text not null,
    synced_at           bigint not null,
    primary key (business_account_id, name, language)
);
