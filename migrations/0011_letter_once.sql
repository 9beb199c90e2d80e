-- Meta delivers at least once: the same bytes are the same dead letter. Those from before have no digest.
alter table dead_letter add column digest text;
create unique index dead_letter_once on dead_letter (app, digest);
