"""What every handler uses: who calls, repeated requests, refusals, strict bodies, health."""
