-- Conversations that turned out to be with one customer. The gone one keeps its row, and what came from it
-- says so, so that a person can split them again.

alter table conversation add column merged_into uuid;
alter table message add column merged_from uuid;
alter table handoff add column merged_from uuid;
create index message_merged on message (merged_from) where merged_from is not null;

create table merger (
    id             uuid primary key not null,
    -- The same as `gone` if the customer who stays had no conversation on that number.
    kept           uuid not null references conversation (id),
    gone           uuid not null references conversation (id),
    kept_customer  uuid not null references customer (id),
    gone_customer  uuid not null references customer (id),
    -- The names that went over, as JSON.
    names          text not null,
    -- Until when the one that stays was open by itself.
    kept_closes_at bigint,
    at             bigint not null,
    split_at       bigint,
    split_by       uuid
);
create index merger_kept on merger (kept, at);
create index merger_gone on merger (gone);
create index merger_customers on merger (kept_customer, gone_customer);
