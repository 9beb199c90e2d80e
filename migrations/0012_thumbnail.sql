-- Whether a small picture lies beside the bytes in the media store; where, follows from their place.
alter table media add column thumbnail boolean not null default false;
alter table upload add column thumbnail boolean not null default false;
