"""Passwords that attackers try first, in lower case. Pure.

Data: `common_passwords.txt` beside this module, the entries of at least eight characters among the 30 000
most common passwords of zxcvbn 4.5.0 (February 2025, MIT licence, https://github.com/dwolfhub/zxcvbn-python),
which counted them in published leaks. NIST SP 800-63B-4 §3.1.1.2 demands such a list; shorter passwords are
refused for their length.
"""

from importlib.resources import files

COMMON_PASSWORDS = frozenset(
    files("shared.identity").joinpath("common_passwords.txt").read_text("ascii").split()
)
