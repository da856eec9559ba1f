"""Honour hours: entered by hand or from a workbook, with a reason."""
