-- +goose Up
-- 伙伴信息 > 基本信息: what a partner says about itself. Name, name_en and address change by company_change alone.
CREATE TABLE company_profile (
  org_id {{key}} PRIMARY KEY REFERENCES organisation(id),
  name {{text}} NOT NULL,
  name_en {{text}} NOT NULL,
  address {{text}} NOT NULL,
  intro {{text}} NOT NULL,
  website {{text}} NOT NULL,
  phone {{text}} NOT NULL,
  listed {{flag}} NOT NULL,
  updated_by {{text}} NOT NULL,
  updated_at {{instant}} NOT NULL
) {{strict}};

-- The logo as the portal encoded it anew; sha names it in addresses.
CREATE TABLE company_logo (
  org_id {{key}} PRIMARY KEY REFERENCES organisation(id),
  sha {{text}} NOT NULL,
  body {{bytes}} NOT NULL,
  updated_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX company_logo_sha ON company_logo(sha);

-- A change of what the vendor reviews, with what stood before.
CREATE TABLE company_change (
  id {{key}} PRIMARY KEY,
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  state {{text}} NOT NULL CHECK (state IN ('reviewing','approved','refused','withdrawn')),
  version {{int}} NOT NULL,
  name {{text}} NOT NULL,
  name_en {{text}} NOT NULL,
  address {{text}} NOT NULL,
  was_name {{text}} NOT NULL,
  was_name_en {{text}} NOT NULL,
  was_address {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  decided_by {{text}} NOT NULL,
  decided_at {{instant}},
  reason {{text}} NOT NULL
) {{strict}};
CREATE INDEX company_change_org ON company_change(org_id, created_at);
CREATE UNIQUE INDEX company_change_open ON company_change(org_id) WHERE state = 'reviewing';
