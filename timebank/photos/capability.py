"""The manifest of photos: kept, attached to what other capabilities declare, painted over, published and purged."""

from timebank.core.capability import Capability, Job
from timebank.core.locale import _

CAPABILITY = Capability(
    name="photos",
    tables="timebank.photos.tables",
    api=("timebank.photos.api.Photos",),
    pages=("timebank.photos.pages.photo.PhotoPages",),
    jobs=(
        Job("purge_unattached_photos", 600, "timebank.photos.purging.purge_unattached_photos"),
        Job("purge_photos", 3600, "timebank.photos.purging.purge_photos"),
    ),
    audit={
        "attach_photo": _("放了照片"),
        "paint_photo": _("涂盖了照片"),
        "publish_photo": _("公开了照片"),
        "purge_photo": _("到期删除了照片"),
        "remove_photo": _("删掉了照片"),
    },
    nouns={"photo": _("照片")},
)
