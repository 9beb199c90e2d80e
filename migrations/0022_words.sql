-- Files in words: what is said in a voice message, what is seen in a picture.
alter table media add column words text;
-- Null: nobody puts it in words.
alter table media add column words_state text check (words_state in ('waiting', 'read', 'failed'));
-- A code: why there are none.
alter table media add column words_problem text;
-- Also the lease: whoever reads compares it when done.
alter table media add column words_tries bigint not null default 0;
-- In the time of leases; of one that is being read, when somebody else may.
alter table media add column words_at bigint;
create index media_words on media (words_at) where words_state = 'waiting';
