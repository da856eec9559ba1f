"""Every kind of change that waits for a second person, with what carries it out."""

from timebank.access import further_devices, grants, registration
from timebank.access.further_devices import FURTHER_DEVICE
from timebank.access.grants import ADMIN_GRANT, END_AUDITOR, OFFICE_BEFORE
from timebank.access.registration import CORRECTION, FAMILY_CORRECTION
from timebank.agreements.kinds import Carrier, Kind
from timebank.areas import policies
from timebank.areas.policies import LOOSER_POLICY, POLICY_BEFORE
from timebank.classes.courses import COURSE_TERMS, LESSON_TERMS
from timebank.deeds import objections, restoring, review
from timebank.deeds.restoring import DEED_AGAIN
from timebank.deeds.review import DEED_POINTS
from timebank.people import agreed, guardians, merging
from timebank.people.guardians import GUARDIAN, GUARDIAN_CONSENT
from timebank.people.merging import PERSON_MERGE
from timebank.rules import catalogue
from timebank.rules.catalogue import LOOSER_RULE, RULE_BEFORE
from timebank.shop import collection, stock
from timebank.shop.collection import RETURN
from timebank.shop.goods import GOOD_TERMS
from timebank.shop.stock import COUNT

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        ADMIN_GRANT, END_AUDITOR, OFFICE_BEFORE, CORRECTION, FAMILY_CORRECTION, LOOSER_POLICY, POLICY_BEFORE,
        LOOSER_RULE, RULE_BEFORE, DEED_POINTS, DEED_AGAIN, GUARDIAN, GUARDIAN_CONSENT, RETURN, COUNT, FURTHER_DEVICE,
        GOOD_TERMS, COURSE_TERMS, LESSON_TERMS, PERSON_MERGE,
    )
}  # fmt: skip
CARRIERS: dict[str, Carrier] = {
    ADMIN_GRANT.name: Carrier(grants.give_agreed, grants.is_held),
    END_AUDITOR.name: Carrier(grants.end_agreed),
    CORRECTION.name: Carrier(registration.amend_agreed, agreed.stands_now),
    FAMILY_CORRECTION.name: Carrier(registration.amend_agreed, agreed.stands_now),
    LOOSER_POLICY.name: Carrier(policies.set_agreed, policies.stands_now),
    LOOSER_RULE.name: Carrier(catalogue.set_agreed, catalogue.version_now),
    DEED_POINTS.name: Carrier(review.approve_agreed, review.stands_now),
    DEED_AGAIN.name: Carrier(objections.restore_agreed, restoring.stands_now),
    GUARDIAN.name: Carrier(guardians.name_agreed),
    GUARDIAN_CONSENT.name: Carrier(guardians.consent_agreed),
    RETURN.name: Carrier(collection.return_agreed),
    COUNT.name: Carrier(stock.count_agreed),
    FURTHER_DEVICE.name: Carrier(further_devices.register_agreed),
    PERSON_MERGE.name: Carrier(merging.merge_agreed, merging.stands_now),
}
