"""Rules about people and how they are known. Pure.

User names chosen by sign-up follow PRECIS (RFC 8265), are stored in lower case, and are compared by a
skeleton that PostgreSQL can index. The skeleton uses a table of single characters from Unicode's
confusables.txt; libraries with the whole file cannot run inside a statement. Operators may choose any user
name without invisible characters.

An e-mail address with `email_verified` false does not sign anyone in and stays free for its owner. A user
name chosen by sign-up has no `@`. So nobody claims an address by typing it.
"""
