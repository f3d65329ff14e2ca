"""Who is there: browser sessions, their cookies, and how fast passwords may be tried."""
