"""What services with pages share about the browser in front of them."""
