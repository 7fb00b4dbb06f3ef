-- name: party.Orgs
select id, code, name, kind, coalesce(parent_id, '') from organisation order by code;

-- name: party.Associations
select id, customer_id, partner_id, kind, state, valid_from, valid_to from association order by customer_id, id;

-- name: party.Entities
select id, code, name, is_default, tax_in_due from contracting_entity where vendor_id = $1 order by code;

-- name: party.SourceEntities
select id, coalesce(entity_id, '') from source where vendor_id = $1 order by id;

-- name: party.Agreed
select partner_id, coalesce(entity_id, '') from partnership where vendor_id = $1 order by partner_id;

-- name: party.Slots
select s.id, s.source_id, c.name, c.zone
from slot s join source c on c.id = s.source_id join delivery d on d.id = s.delivery_id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'
order by c.name, d.number, s.id;
