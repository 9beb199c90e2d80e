-- Meta delivers at least once: the same fact is the same notice. Those from before have no digest.
alter table notice add column digest text;
create unique index notice_once on notice (app, digest);
