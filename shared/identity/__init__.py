"""Rules for people's identifiers, passwords and second factors. Pure.

User names chosen by sign-up follow PRECIS (RFC 8265), are stored in lower case, and are compared by a
skeleton that PostgreSQL can index. The skeleton uses a table of single characters from Unicode's
confusables.txt, because libraries with the whole file cannot run inside a statement. Operators may choose any
user name without invisible characters.

Nobody can claim an e-mail address by typing it: an address with `email_verified` false does not sign anyone
in and stays available to its owner, and a user name chosen by sign-up has no `@`.
"""
