-- What customers hear while they wait for a person, and what time does about it.

-- Which sentences of the playbook have been said in this stretch: words with a space between.
alter table handoff add column told text not null default '';
-- From when patience counts: when it came into the queue, or when people are there again.
alter table handoff add column patient_from bigint;
alter table handoff add column callback_at bigint;
alter table handoff add column wants_bot boolean not null default false;

-- Those who wait already are looked at as soon as a server runs.
update handoff set patient_from = opened_at where closed_at is null;
update conversation set returns_at = 0 where control = 'waiting';
