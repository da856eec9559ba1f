"""Statements that damage a community's ledger by hand, each with the problem codes that the check must report.

The database's superuser runs them, because no function of the service could. They damage the data that
`live_a_little` of tests/ledger/test_ledger_check.py writes.
"""

TAMPERS: list[tuple[str, str, set[str]]] = [
    (
        "a balance raised by hand",
        (
            "UPDATE account SET balance = balance + 5 WHERE bucket = 'available' AND currency = 'point' AND "
            "balance > 100"
        ),
        {"balance_differs", "currency_not_zero"},
    ),
    (
        "points moved between two balances by hand",
        (
            "UPDATE account SET balance = balance + CASE WHEN balance > 100 THEN -2 ELSE 2 END WHERE bucket = "
            "'available' AND currency = 'point' AND balance >= 10"
        ),
        {"balance_differs"},
    ),
    (
        "a negative balance",
        (
            "ALTER TABLE account DROP CONSTRAINT account_not_negative; UPDATE account SET balance = -1 WHERE "
            "bucket = 'available' AND currency = 'point' AND balance > 100"
        ),
        {"account_negative", "balance_differs", "currency_not_zero"},
    ),
    (
        "a transfer that was deleted",
        "DELETE FROM transfer WHERE kind = 'donation'",
        {"balance_differs", "currency_not_zero", "day_total_differs"},
    ),
    (
        "an amount that was changed",
        "UPDATE transfer SET amount = 400 WHERE amount = 500",
        {"balance_differs", "currency_not_zero", "day_total_differs", "deed_without_credit"},
    ),
    (
        "a transfer into another currency",
        "UPDATE transfer SET currency = 'minute' WHERE amount = 500",
        {"credit_astray", "deed_without_credit", "transfer_astray"},
    ),
    (
        "a held balance without its hold",
        "UPDATE transfer SET closes = NULL WHERE kind = 'void'",
        {"closing_differs", "held_differs", "hold_without_cause", "redemption_end_differs"},
    ),
    (
        "a debt written off by hand",
        "UPDATE debt SET repaid = repaid + 1",
        {"debt_differs"},
    ),
    (
        "a debt made smaller by hand",
        "UPDATE debt SET amount = amount - 1",
        {"reversal_differs"},
    ),
    (
        "a day's total changed by hand",
        "UPDATE day_total SET given = given + 1 WHERE bucket = 'issued' AND currency = 'point'",
        {"day_total_differs"},
    ),
    (
        "a reservation that vanished",
        "DELETE FROM redemption WHERE status = 'reserved'",
        {"hold_without_cause", "household_month_differs", "redemption_moves_differ"},
    ),
    (
        "a reservation said to be collected",
        (
            "UPDATE redemption SET status = 'collected', ended_at = reserved_at, settled_entry_id = entry_id "
            "WHERE status = 'reserved'"
        ),
        {"hold_without_cause", "redemption_end_differs"},
    ),
    (
        "a reservation of other points than are held",
        "UPDATE redemption SET points = 9 WHERE status = 'reserved'",
        {"redemption_off_price", "redemption_without_hold"},
    ),
    (
        "a reservation given to somebody else",
        ("UPDATE redemption SET person_id = (SELECT id FROM person WHERE name = '张国庆') WHERE status = 'reserved'"),
        {"redemption_without_hold"},
    ),
    (
        "a collection said to be returned",
        "UPDATE redemption SET status = 'returned', returned_at = ended_at WHERE status = 'collected'",
        {"household_month_differs", "redemption_moves_differ", "return_without_points"},
    ),
    (
        "a return said to be kept",
        "UPDATE redemption SET status = 'collected', returned_at = NULL WHERE status = 'returned'",
        {"household_month_differs", "redemption_moves_differ", "return_without_points"},
    ),
    (
        "a purchase that vanished",
        "DELETE FROM class_purchase",
        {"purchase_differs"},
    ),
    (
        "a purchase of more minutes than were paid",
        "UPDATE class_purchase SET minutes = 180",
        {"purchase_differs"},
    ),
    (
        "a seat that vanished",
        "DELETE FROM booking",
        {"hold_without_cause", "lesson_seats_differ"},
    ),
    (
        "a seat without its hold",
        "UPDATE booking SET entry_id = gen_random_uuid()",
        {"booking_without_hold", "hold_without_cause"},
    ),
    (
        "a record's minutes changed",
        "UPDATE service_record SET credited_minutes = 600",
        {"record_without_credit"},
    ),
    (
        "a record's points changed",
        "UPDATE service_record SET credited_points = 1",
        {"record_without_credit"},
    ),
    (
        "a record rejected behind the ledger's back",
        "UPDATE service_record SET status = 'rejected'",
        {"credit_without_record"},
    ),
    (
        "a record reversed behind the ledger's back",
        "UPDATE service_record SET status = 'reversed'",
        {"credit_without_record", "record_without_credit"},
    ),
    (
        "a record approved without a credit",
        "UPDATE service_record SET entry_id = NULL",
        {"credit_without_record", "record_without_credit"},
    ),
    (
        "a deed's points changed",
        "UPDATE deed SET points = 99 WHERE status = 'credited'",
        {"deed_off_its_rule", "deed_without_credit"},
    ),
    (
        "a deed credited by hand",
        "UPDATE deed SET status = 'credited' WHERE status = 'reversed'",
        {"deed_without_credit"},
    ),
    (
        "a deed rejected behind the ledger's back",
        "UPDATE deed SET status = 'rejected' WHERE status = 'credited'",
        {"credit_without_deed"},
    ),
    (
        "a deed credited to somebody else",
        "UPDATE deed SET person_id = (SELECT id FROM person WHERE name = '张国庆') WHERE status = 'credited'",
        {"credit_astray", "deed_without_credit"},
    ),
    (
        "goods that walked away",
        "UPDATE stock SET quantity = quantity - 1 WHERE quantity = 5",
        {"stock_differs"},
    ),
    (
        "a move of stock that was deleted",
        "DELETE FROM stock_move WHERE change = 5",
        {"stock_differs"},
    ),
    (
        "a record that was deleted",
        "DELETE FROM service_record",
        {"credit_without_record"},
    ),
    (
        "a deed that was deleted",
        "DELETE FROM deed WHERE status = 'credited' AND points = 10",
        {"credit_without_deed"},
    ),
    (
        "a reversed deed that was deleted",
        "DELETE FROM deed WHERE status = 'reversed'",
        {"credit_without_deed"},
    ),
    (
        "a record withdrawn without its credit",
        "UPDATE service_record SET entry_id = NULL, status = 'pending'",
        {"credit_without_record"},
    ),
    (
        "a deed taken back to its notice",
        "UPDATE deed SET status = 'noticed', entry_id = NULL WHERE status = 'credited' AND points = 10",
        {"credit_without_deed"},
    ),
    (
        "a collected redemption that was deleted",
        "DELETE FROM redemption WHERE status = 'collected'",
        {"hold_without_cause", "household_month_differs", "redemption_moves_differ"},
    ),
    (
        "a cancelled redemption that was deleted",
        "DELETE FROM redemption WHERE status = 'cancelled'",
        {"hold_without_cause", "redemption_moves_differ"},
    ),
    (
        "a redemption of another quantity",
        "UPDATE redemption SET quantity = 2 WHERE status = 'collected'",
        {"household_month_differs", "redemption_moves_differ", "redemption_off_price"},
    ),
    (
        "a redemption of fewer points",
        "UPDATE redemption SET points = 4 WHERE status = 'collected'",
        {"redemption_end_differs", "redemption_off_price"},
    ),
    (
        "a redemption and its stock at half the price",
        (
            "UPDATE redemption SET quantity = 2 WHERE status = 'collected'; UPDATE stock_move SET change = -2 "
            "WHERE redemption_id = (SELECT id FROM redemption WHERE status = 'collected'); UPDATE stock SET "
            "quantity = quantity - 1 WHERE quantity = 48; UPDATE household_month SET quantity = 3"
        ),
        {"redemption_off_price"},
    ),
    (
        "a redemption of another good",
        "UPDATE redemption SET good_id = (SELECT id FROM good WHERE name = '抽纸')",
        {"household_month_differs", "redemption_moves_differ", "redemption_off_price"},
    ),
    (
        "a redemption settled by another entry",
        "UPDATE redemption SET settled_entry_id = entry_id WHERE status = 'collected'",
        {"redemption_end_differs"},
    ),
    (
        "a household's month forgotten",
        "DELETE FROM household_month",
        {"household_month_differs"},
    ),
    (
        "a household's month lowered",
        "UPDATE household_month SET quantity = quantity - 1",
        {"household_month_differs"},
    ),
    (
        "a move of stock of a reservation that was deleted",
        (
            "DELETE FROM stock_move WHERE reason = 'reserved' AND redemption_id = (SELECT id FROM redemption "
            "WHERE status = 'reserved')"
        ),
        {"redemption_moves_differ", "stock_differs"},
    ),
    (
        "a move of stock of a return that was added",
        (
            "INSERT INTO stock_move (community_id, id, station_id, good_id, change, reason, redemption_id, "
            "moved_at) SELECT community_id, gen_random_uuid(), station_id, good_id, 1, 'returned', id, "
            "ended_at FROM redemption WHERE status = 'collected'; UPDATE stock SET quantity = quantity + 1 "
            "WHERE quantity = 48"
        ),
        {"redemption_moves_differ"},
    ),
    (
        "stock that was deleted",
        "DELETE FROM stock WHERE quantity = 5",
        {"stock_differs"},
    ),
    (
        "a seat more than was booked",
        "UPDATE lesson SET seats_taken = 0",
        {"lesson_seats_differ"},
    ),
    (
        "a shift with more seats taken",
        "UPDATE shift SET seats_taken = seats_taken + 1",
        {"shift_seats_differ"},
    ),
    (
        "a sign-up that was deleted",
        "DELETE FROM sign_up",
        {"shift_seats_differ"},
    ),
    (
        "a seat marked as attended",
        "UPDATE booking SET status = 'attended', ended_at = created_at",
        {"booking_end_differs", "hold_without_cause"},
    ),
    (
        "a seat cancelled by hand",
        "UPDATE booking SET status = 'cancelled', ended_at = created_at",
        {"booking_end_differs", "hold_without_cause", "lesson_seats_differ"},
    ),
    (
        "a purchase for another child",
        "UPDATE class_purchase SET child_id = guardian_id",
        {"purchase_differs"},
    ),
    (
        "a purchase by somebody else",
        "UPDATE class_purchase SET guardian_id = (SELECT id FROM person WHERE name = '张桂兰')",
        {"purchase_differs"},
    ),
    (
        "an account whose owner is nobody",
        "UPDATE account SET owner_id = gen_random_uuid() WHERE owner_kind = 'person' AND balance = 10",
        {"credit_astray", "deed_without_credit", "owner_unknown"},
    ),
    (
        "a person who vanished",
        "DELETE FROM person WHERE name = '王建国'",
        {"owner_unknown"},
    ),
    (
        "two people's accounts swapped",
        (
            "ALTER TABLE account DROP CONSTRAINT account_unique; UPDATE account a SET owner_id = b.owner_id "
            "FROM account b WHERE a.currency = 'point' AND b.currency = 'point' AND a.bucket = 'available' "
            "AND b.bucket = 'available' AND a.expires_on = b.expires_on AND a.id <> b.id AND a.owner_id IN "
            "(SELECT id FROM person WHERE name IN ('张桂兰', '王建国')) AND b.owner_id IN (SELECT id FROM person "
            "WHERE name IN ('张桂兰', '王建国')); ALTER TABLE account ADD CONSTRAINT account_unique UNIQUE NULLS "
            "NOT DISTINCT (community_id, owner_kind, owner_id, currency, bucket, subject_id, expires_on, grace_of)"
        ),
        {"credit_astray", "deed_without_credit"},
    ),
    (
        "a credit that nothing stands for",
        (
            "INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, "
            "debit_account, credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo) "
            "SELECT t.community_id, gen_random_uuid(), gen_random_uuid(), 1, 'made up', t.request_hash, "
            "'deed', 'point', t.debit_account, t.credit_account, 100, t.occurred_at, t.posted_at, 'gift', "
            "gen_random_uuid(), '' FROM transfer t WHERE t.amount = 500; UPDATE account SET balance = balance "
            "+ 100 WHERE balance > 400"
        ),
        {"credit_without_deed", "day_total_differs", "source_unknown"},
    ),
    (
        "an adjustment without a source",
        (
            "INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, "
            "debit_account, credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo) "
            "SELECT t.community_id, gen_random_uuid(), gen_random_uuid(), 1, 'made up', t.request_hash, "
            "'adjustment', 'point', t.debit_account, t.credit_account, 100, t.occurred_at, t.posted_at, "
            "'deed', gen_random_uuid(), '' FROM transfer t WHERE t.amount = 500; UPDATE account SET balance = "
            "balance + 100 WHERE balance > 400"
        ),
        {"day_total_differs", "source_unknown"},
    ),
    (
        "points moved from one resident to another",
        (
            "INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, "
            "debit_account, credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo) "
            "SELECT t.community_id, gen_random_uuid(), gen_random_uuid(), 1, 'made up', t.request_hash, "
            "'donation', 'point', t.credit_account, (SELECT id FROM account WHERE owner_kind = 'person' AND "
            "balance = 10), 100, t.occurred_at, t.posted_at, 'donation', gen_random_uuid(), '' FROM transfer "
            "t WHERE t.amount = 500; UPDATE account SET balance = balance + 100 WHERE balance = 10; UPDATE "
            "account SET balance = balance - 100 WHERE balance > 400"
        ),
        {"transfer_wrong_way"},
    ),
    (
        "points that left for another community without a move",
        (
            "INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket) SELECT community_id, "
            "gen_random_uuid(), 'system', community_id, 'point', 'clearing' FROM transfer WHERE amount = 500; "
            "INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, "
            "debit_account, credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo) "
            "SELECT t.community_id, gen_random_uuid(), gen_random_uuid(), 1, 'made up', t.request_hash, "
            "'donation', 'point', t.credit_account, a.id, 100, t.occurred_at, t.posted_at, "
            "'donation', gen_random_uuid(), '' FROM transfer t, account a WHERE t.amount = 500 AND a.bucket = "
            "'clearing'; UPDATE account SET balance = balance - 100 WHERE balance > 400"
        ),
        {"clearing_open", "day_total_differs", "transfer_wrong_way"},
    ),
    (
        "a leg that was renumbered",
        "UPDATE transfer SET leg = 5 WHERE kind = 'conversion'",
        {"entry_legs_differ"},
    ),
    (
        "an entry split in two",
        "UPDATE transfer SET entry_id = gen_random_uuid() WHERE kind = 'conversion'",
        {"entry_legs_differ", "record_off_its_rule"},
    ),
    (
        "a transfer of another day",
        "UPDATE transfer SET posted_at = posted_at - interval '3 days' WHERE amount = 500",
        {"day_total_differs"},
    ),
    (
        "a settlement of another hold",
        "UPDATE transfer SET source_id = gen_random_uuid() WHERE kind = 'settle'",
        {"closing_differs"},
    ),
    (
        "a day's total that was deleted",
        "DELETE FROM day_total WHERE bucket = 'donated'",
        {"day_total_differs"},
    ),
    (
        "a rule's rate changed under its records",
        "UPDATE rule SET minutes_per_point = 3 WHERE code = 'service'",
        {"record_off_its_rule"},
    ),
    (
        "a rule that was deleted",
        "DELETE FROM rule WHERE code = 'service'",
        {"record_off_its_rule"},
    ),
    (
        "a record of another rule",
        "UPDATE service_record SET rule_code = 'other'",
        {"record_off_its_rule"},
    ),
    (
        "a record of another version of its rule",
        "UPDATE service_record SET rule_version = 2",
        {"record_off_its_rule"},
    ),
    (
        "a catalogue's points changed under its deeds",
        "UPDATE rule SET points = 11 WHERE code = 'mediation'",
        {"deed_off_its_rule"},
    ),
    (
        "a debt that was deleted",
        "DELETE FROM debt",
        {"debt_differs", "reversal_differs"},
    ),
    (
        "a debt of somebody else",
        "UPDATE debt SET owner_id = (SELECT id FROM person WHERE name = '张桂兰')",
        {"debt_astray", "debt_differs"},
    ),
    (
        "a reversal that names nothing",
        "UPDATE transfer SET reverses = NULL WHERE kind = 'reversal'",
        {"return_without_points", "reversal_differs"},
    ),
    (
        "a repayment that was deleted",
        "DELETE FROM transfer WHERE kind = 'repayment'",
        {"balance_differs", "currency_not_zero", "day_total_differs", "debt_differs"},
    ),
]
