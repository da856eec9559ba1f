-- A photo belongs to nothing of its own: a good shows one, and other things have some attached to them, which are private
-- until somebody has looked at them and published them.

SET LOCAL ROLE timebank_owner;

ALTER TABLE photo
    ADD COLUMN side integer NOT NULL DEFAULT 800 CONSTRAINT photo_side CHECK (side > 0),  -- drawn within so many pixels
    ADD COLUMN kept_by uuid,                   -- who uploaded it; null: nobody noted that, or the system
    ADD COLUMN unattached_until timestamptz;   -- when it is purged, because nothing has it; null: something has it
ALTER TABLE photo ALTER COLUMN side DROP DEFAULT;
CREATE INDEX photo_unattached ON photo (community_id, unattached_until) WHERE unattached_until IS NOT NULL;
GRANT UPDATE (unattached_until) ON photo TO timebank_app;

CREATE TABLE attachment (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    noun        varchar(16) NOT NULL CONSTRAINT attachment_noun CHECK (noun IN ('matter', 'loan', 'turn', 'deed', 'meeting', 'gift')),
    noun_id     uuid NOT NULL,
    photo_id    uuid NOT NULL,
    stage       varchar(16) NOT NULL CONSTRAINT attachment_stage CHECK (stage IN ('before', 'after', 'proof', 'condition')),
    added_by    uuid,
    added_at    timestamptz NOT NULL,
    painted_at  timestamptz,
    published_at timestamptz,                  -- null: seen only by who sees the noun
    published_by uuid,
    PRIMARY KEY (community_id, id),
    CONSTRAINT attachment_photo FOREIGN KEY (community_id, photo_id) REFERENCES photo (community_id, id),
    CONSTRAINT attachment_photo_once UNIQUE (community_id, photo_id),
    CONSTRAINT attachment_published CHECK ((published_at IS NULL) = (published_by IS NULL))
);
CREATE INDEX attachment_place ON attachment (community_id, noun, noun_id, stage);
CALL protect_tenant_table('attachment', 'SELECT, INSERT, DELETE');
GRANT UPDATE (photo_id, painted_at, published_at, published_by) ON attachment TO timebank_app;
