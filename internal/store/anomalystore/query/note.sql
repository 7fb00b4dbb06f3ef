-- name: note.Of
select n.customer_id, n.currency, n.kind, n.subject, n.note, n.person_id, p.login, p.name, n.noted_at
from anomaly_note n join person p on p.id = n.person_id
where n.partner_id = $1 and n.cycle = $2
order by n.noted_at, n.customer_id;

-- name: note.Put
insert into anomaly_note (partner_id, customer_id, cycle, currency, kind, subject, note, person_id, noted_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (partner_id, customer_id, cycle, currency, kind, subject)
do update set note = excluded.note, person_id = excluded.person_id, noted_at = excluded.noted_at;
