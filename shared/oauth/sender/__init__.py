"""The sender of a token: the key that the token is bound to, if any, and that its holder must prove. Pure."""
