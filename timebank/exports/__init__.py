"""Lists saved as workbooks: who may, with whose consent, and what is written into the audit."""
