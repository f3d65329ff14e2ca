"""Pages that belong to no interaction: the start page, the out-of-band page, mails of `ostiary run`."""
