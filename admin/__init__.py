"""The panel: pages for administrators and auditors."""
