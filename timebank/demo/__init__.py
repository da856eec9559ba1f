"""The demo: an invented county with the same people and amounts on every machine.

Region code 522699 does not exist, every phone is 1990000xxxx, every name is invented.
"""
