"""Filing deeds, one by one or from a workbook."""
