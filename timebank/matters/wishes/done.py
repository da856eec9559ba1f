"""What a counter lists of the gifts for wishes that its keepers have received, handed over or given back."""

from timebank.core.capability import CounterDone
from timebank.core.locale import _

WISHES_DONE = (
    CounterDone(
        name="wish_receipt",
        word=_("收下心愿物品"),
        undo="/desk/wishes/{id}",
        select="SELECT w.matter_id, w.received_at, m.assignee_id, "
        "m.number, w.received_by, CASE WHEN w.undone_at IS NULL AND w.collected_at IS NULL THEN w.received_at END "
        "FROM wish_gift w JOIN matter m ON m.community_id = w.community_id AND m.id = w.matter_id "
        "WHERE w.community_id = $1 AND w.station_id = $2 AND w.received_at >= $3",
    ),
    CounterDone(
        name="wish_return",
        word=_("还给了送心愿物品的人"),
        select="SELECT w.matter_id, w.returned_at, (SELECT h.person_id FROM matter_helper h "
        "WHERE h.community_id = w.community_id AND h.matter_id = w.matter_id AND h.took_at <= w.returned_at "
        "ORDER BY h.took_at DESC LIMIT 1), m.number, w.returned_by, NULL::timestamptz FROM wish_gift w "
        "JOIN matter m ON m.community_id = w.community_id AND m.id = w.matter_id "
        "WHERE w.community_id = $1 AND w.station_id = $2 AND w.returned_at >= $3",
    ),
    CounterDone(
        name="wish_collection",
        word=_("交付心愿物品"),
        undo="/desk/wishes/{id}",
        select="SELECT w.matter_id, w.collected_at, coalesce(m.for_person_id, m.reporter_id), m.number, "
        "w.collected_by, w.collected_at FROM wish_gift w "
        "JOIN matter m ON m.community_id = w.community_id AND m.id = w.matter_id "
        "WHERE w.community_id = $1 AND w.station_id = $2 AND w.collected_at >= $3",
    ),
)
