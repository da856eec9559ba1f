-- What nothing reads any more goes: codes stand in pickup alone, and points are spent one posting at a time.

SET LOCAL ROLE timebank_owner;

ALTER TABLE redemption DROP COLUMN code;
ALTER TABLE booking DROP COLUMN code;
DROP FUNCTION ledger_spend_many;
